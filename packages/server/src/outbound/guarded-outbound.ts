import { lookup } from 'node:dns/promises'
import { type ClientRequest, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, isIPv4 } from 'node:net'
import type { Clock } from '../clock.js'
import type { Audit } from '../telemetry/audit.js'
import {
  type Outbound,
  type OutboundAnswer,
  OutboundError,
  type OutboundFailure,
  type OutboundRequest,
} from './outbound.js'
import { type ResolvedAddress, isLoopback, isReachable } from './reachable-address.js'

/** What a guarded client works with. */
export interface GuardedOutboundOptions {
  /** For everything: looking the name up, connecting, sending, receiving (default 3,000). */
  readonly timeoutMs?: number
  /** Of the body of an answer (default 262,144). */
  readonly bytesMax?: number
  /** Whether networks of one's own may be asked, and this machine without TLS. Link-local addresses and with them the metadata of clouds never. */
  readonly allowPrivate: boolean
  readonly clock: Pick<Clock, 'after'>
  /** Where refusals are written down. */
  readonly audit?: Audit
  /** Looks names up (default: as the system does). */
  readonly resolve?: (host: string) => Promise<readonly ResolvedAddress[]>
  /** Certificates of authorities to trust in place of the system's, in PEM. */
  readonly ca?: string
}

/**
 * A client for addresses that came out of a configuration: https only, a name is looked up once and exactly what was checked is connected to, no redirects, no
 * proxies, a connection for each request, bounds on time and size. Rejects with an `OutboundError`.
 */
export function guardedOutbound(options: GuardedOutboundOptions): Outbound {
  const { timeoutMs = 3_000, clock, audit } = options
  return (request) => {
    const exchange = new Exchange(request, options)
    return new Promise((resolve, reject) => {
      const cancel = clock.after(timeoutMs, () =>
        exchange.abort(new OutboundError('timeout', `no answer within ${timeoutMs} ms`)),
      )
      exchange
        .run()
        .then(resolve, (error: unknown) => {
          const failure = asOutboundError(error)
          const { url, method } = request
          if (failure.code === 'blocked')
            audit?.record('outbound.blocked', { rule: failure.message, action: method, reason: url.host })
          reject(failure)
        })
        .finally(cancel)
    })
  }
}

/** One request and its answer. */
class Exchange {
  readonly #request: OutboundRequest
  readonly #options: GuardedOutboundOptions
  readonly #aborted: Promise<never>
  #abort: (error: OutboundError) => void = () => undefined
  #sent: ClientRequest | undefined
  #end: OutboundError | undefined

  constructor(request: OutboundRequest, options: GuardedOutboundOptions) {
    this.#request = request
    this.#options = options
    this.#aborted = new Promise((_, reject) => (this.#abort = reject))
    // Whether anybody waits for it yet.
    this.#aborted.catch(() => undefined)
  }

  /** Ends it, whatever it does just now. */
  abort(error: OutboundError): void {
    this.#end ??= error
    this.#abort(error)
    this.#sent?.destroy()
  }

  run(): Promise<OutboundAnswer> {
    return Promise.race([this.#answer(), this.#aborted])
  }

  async #answer(): Promise<OutboundAnswer> {
    checkUrl(this.#request.url, this.#options.allowPrivate)
    const addresses = await this.#resolve()
    this.#checkAddresses(addresses)
    if (this.#end !== undefined) throw this.#end
    return this.#send(addresses)
  }

  async #resolve(): Promise<readonly ResolvedAddress[]> {
    const host = this.#request.url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0) return [{ address: host, family: isIPv4(host) ? 4 : 6 }]
    const { resolve = resolveBySystem } = this.#options
    return resolve(host)
  }

  /** All of them: which one would be connected to is chance. */
  #checkAddresses(addresses: readonly ResolvedAddress[]): void {
    const reach = this.#options.allowPrivate ? 'private' : 'public'
    if (addresses.length === 0) throw new OutboundError('failed', 'the name has no address')
    if (!addresses.every(({ address }) => isReachable(address, reach)))
      throw new OutboundError('blocked', 'the address is not public')
    if (this.#request.url.protocol === 'http:' && !addresses.every(({ address }) => isLoopback(address)))
      throw new OutboundError('blocked', 'the protocol is not https')
  }

  #send(addresses: readonly ResolvedAddress[]): Promise<OutboundAnswer> {
    const { url, body } = this.#request
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    return new Promise((resolve, reject) => {
      const sent = send(this.#sendOptions(addresses))
      this.#sent = sent
      // Not once: what breaks after it was given up must not end the process.
      sent.on('error', reject)
      const ended = (): void => reject(new OutboundError('failed', 'the connection ended'))
      sent.once('close', ended)
      sent.once('response', (response) => {
        // The end of the connection may be the end of the body, which is still being read then.
        sent.off('close', ended)
        this.#receive(response).then(resolve, reject)
      })
      sent.end(body)
    })
  }

  #sendOptions(addresses: readonly ResolvedAddress[]): RequestOptions & { ca?: string; rejectUnauthorized: boolean } {
    const { url, method, headers = {}, body } = this.#request
    const { ca } = this.#options
    return {
      protocol: url.protocol,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port,
      path: `${url.pathname}${url.search}`,
      method,
      headers: {
        'accept-encoding': 'identity',
        'user-agent': 'holdfast',
        ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
        ...headers,
      },
      // A connection of its own: nothing is shared between origins, and no proxy of the environment is asked.
      agent: false,
      lookup: pinned(addresses),
      // Whatever the environment says.
      rejectUnauthorized: true,
      ...(ca !== undefined && { ca }),
    }
  }

  async #receive(response: IncomingMessage): Promise<OutboundAnswer> {
    const { bytesMax = 262_144 } = this.#options
    const tooLarge = (): never => {
      const error = new OutboundError('too_large', `the answer has more than ${bytesMax} bytes`)
      this.abort(error)
      throw error
    }
    if (Number(response.headers['content-length'] ?? 0) > bytesMax) tooLarge()
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > bytesMax) tooLarge()
      chunks.push(chunk)
    }
    return {
      status: response.statusCode ?? 0,
      headers: joined(response.headers),
      body: Buffer.concat(chunks).toString('utf8'),
    }
  }
}

function checkUrl(url: URL, allowPrivate: boolean): void {
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowPrivate))
    throw new OutboundError('blocked', 'the protocol is not https')
  if (url.username !== '' || url.password !== '') throw new OutboundError('blocked', 'the address holds credentials')
}

/** Answers what was checked, whoever asks: looked up again, the name could mean another machine. */
function pinned(addresses: readonly ResolvedAddress[]): NonNullable<RequestOptions['lookup']> {
  return (_host, { all }, answer) => {
    const [first] = addresses
    if (all === true) answer(null, [...addresses])
    else answer(null, first?.address ?? '', first?.family ?? 4)
  }
}

function resolveBySystem(host: string): Promise<readonly ResolvedAddress[]> {
  return lookup(host, { all: true, order: 'verbatim' })
}

function joined(headers: IncomingMessage['headers']): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value = '']) => [name, [value].flat().join(', ')] as const)
  return Object.fromEntries(entries)
}

function asOutboundError(error: unknown): OutboundError {
  if (error instanceof OutboundError) return error
  const code: OutboundFailure = 'failed'
  const { code: cause = 'unknown' } = error as { readonly code?: string }
  return new OutboundError(code, `the request failed: ${cause}`)
}
