import { UNIX_PEER, plainAddress } from '../network-address.js'
import type { Audit } from '../telemetry/audit.js'
import { type HostPolicy, hostName } from './host-policy.js'
import type { Forwarding, TrustedProxies } from './trusted-proxies.js'

/** What a request says before anything of it is believed. */
export interface RequestHead extends Forwarding {
  /** The value of each `Host` header; undefined: the program itself asks, and not over HTTP. */
  readonly hosts: readonly string[] | undefined
  /** The value of each `Origin` header. */
  readonly origins: readonly string[]
}

/** Who stands behind a request. */
export interface Visitor {
  /** The address of the client, after trusted proxies; `unix` on a Unix socket, empty where nobody knows. */
  readonly address: string
  /** The page that asks; undefined: no page, or none that says so. */
  readonly origin: string | undefined
  /** Whether the client came over TLS, as far as that can be trusted. */
  readonly isSecure: boolean
}

/** A request that is answered nothing else. */
export interface Rejection {
  /** 400: two headers that contradict each other, or one that nobody means. 421: the name is not ours (RFC 9110, 15.5.20). */
  readonly rejected: 400 | 421
}

/** A longer `Origin` was made to do harm. What is longer than an origin and shorter than this is merely not allowed. */
const ORIGIN_HEADER_CHARACTERS_MAX = 2_048

/** Control characters, spaces, and what is not ASCII: no browser sends them in an origin. */
const UNSPEAKABLE = /[^!-~]/

/** The first that upgrades and HTTP requests alike have to pass: one meaning, a name of ours, and an address that can be believed. */
export class Perimeter {
  readonly #proxies: TrustedProxies
  readonly #hosts: HostPolicy
  readonly #audit: Audit

  constructor(parts: { readonly proxies: TrustedProxies; readonly hosts: HostPolicy; readonly audit: Audit }) {
    this.#proxies = parts.proxies
    this.#hosts = parts.hosts
    this.#audit = parts.audit
  }

  /** Who asks, or why nobody is answered. Rejections are recorded. */
  examine(head: RequestHead): Visitor | Rejection {
    const address = this.#proxies.addressOf(head)
    const [host, ...otherHosts] = new Set(head.hosts ?? [])
    if (otherHosts.length > 0 || (host !== undefined && host !== '' && hostName(host) === undefined)) {
      this.#audit.record('host.refused', { address, rule: 'malformed' })
      return { rejected: 400 }
    }
    if (head.hosts !== undefined && !this.#hosts.admits(host)) {
      this.#audit.record('host.refused', { address, rule: 'unlisted', action: host ?? '(none)' })
      return { rejected: 421 }
    }
    const [origin, ...otherOrigins] = new Set(head.origins.flatMap(valuesOf))
    if (otherOrigins.length > 0 || (origin !== undefined && isMalformed(origin))) {
      this.#audit.record('origin.refused', { address, rule: 'malformed' })
      return { rejected: 400 }
    }
    return { address, origin, isSecure: this.#proxies.isSecure(head) }
  }
}

/** The values that Node, or a proxy, has joined. Without a pattern: one that looks for the spaces around a comma takes the square of their number. */
function valuesOf(header: string): string[] {
  const values = header.split(',')
  return values.length === 1 ? values : values.map((value) => value.trim())
}

function isMalformed(origin: string): boolean {
  return origin === '' || origin.length > ORIGIN_HEADER_CHARACTERS_MAX || UNSPEAKABLE.test(origin)
}

/** The request of Node's HTTP server, as far as it is needed here. */
export interface IncomingHead {
  readonly rawHeaders: readonly string[]
  readonly socket: {
    readonly remoteAddress?: string | undefined
    readonly encrypted?: boolean | undefined
    /** What has accepted it: Node sets it and does not document it. */
    readonly server?: { readonly listening?: boolean; address?(): unknown } | undefined
  }
}

const HEADERS_READ = ['host', 'origin', 'x-forwarded-for', 'x-forwarded-proto']

/** Reads a head from a request of Node. Its `headers` keep the first of several, or join them; what was sent stands in `rawHeaders`. */
export function headOf({ rawHeaders, socket }: IncomingHead): RequestHead {
  // A Map: a header may be named like a member that every object inherits.
  const found = new Map<string, string[]>(HEADERS_READ.map((name) => [name, []]))
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    found.get((rawHeaders[at] ?? '').toLowerCase())?.push((rawHeaders[at + 1] ?? '').trim())
  return {
    peer: peerOf(socket),
    isEncrypted: socket.encrypted === true,
    forwardedFor: joined(found.get('x-forwarded-for')),
    forwardedProto: joined(found.get('x-forwarded-proto')),
    hosts: found.get('host') ?? [],
    origins: found.get('origin') ?? [],
  }
}

/** A TCP connection that is gone has no address either: what accepted it tells them apart. Of an inherited Unix socket Node does not know the path. */
function peerOf({ remoteAddress, server }: IncomingHead['socket']): string {
  if (remoteAddress !== undefined) return plainAddress(remoteAddress)
  const bound = server?.address?.()
  return typeof bound === 'string' || (bound === null && server?.listening === true) ? UNIX_PEER : ''
}

/** Reads a head from a fetch-style request of which nothing else is known: no peer, and so no proxy that could be trusted. */
export function headOfRequest(request: Request): RequestHead {
  const host = request.headers.get('host')
  const origin = request.headers.get('origin')
  return {
    peer: '',
    isEncrypted: new URL(request.url).protocol === 'https:',
    forwardedFor: undefined,
    forwardedProto: undefined,
    hosts: host === null ? undefined : [host],
    origins: origin === null ? [] : [origin],
  }
}

function joined(values: readonly string[] = []): string | undefined {
  return values.length === 0 ? undefined : values.join(',')
}
