import type { BackoffOptions } from './backoff.js'
import { type Clock, systemClock } from './clock.js'
import { type CursorStore, memoryCursor } from './cursor-store.js'
import { HoldfastError } from './errors.js'
import type { OfflineQueueOptions } from './offline-queue.js'
import { type Random, systemRandom } from './random.js'
import type { WebSocketConstructor } from './socket.js'
import type { TokenOption } from './token.js'
import { type WakeSource, browserWakes } from './wakes.js'

/** Everything that a client can be told. Each member may be left out. */
export interface HoldfastOptions {
  /** The credential, or a function that fetches it; asked before every attempt, one call at a time, for at most 10 s. */
  readonly token?: TokenOption
  /** The WebSocket to use. Default: the global one; on Node 20 that of the package `ws`. */
  readonly WebSocket?: WebSocketConstructor
  /** Whether to connect at once. Default true. */
  readonly connect?: boolean
  /** The delay between attempts. Default 500 to 30,000 ms. */
  readonly backoff?: Partial<BackoffOptions>
  /** Attempts in a row without a welcome before the client is `failed`. Default 0: no end. */
  readonly maxAttempts?: number
  /** How long a connection must last for the delay to start over. Default 10,000 ms. */
  readonly stableMs?: number
  /** From the opening of a socket to the welcome. Default 10,000 ms. */
  readonly connectTimeoutMs?: number
  /** How long a command waits for its answer. Default 10,000 ms. */
  readonly requestTimeoutMs?: number
  /** What may wait to be sent. Default 10,000 commands, 4 MiB, publishes at most 240,000 ms old. */
  readonly offlineQueue?: Partial<OfflineQueueOptions>
  /** Messages of one channel that wait for a slow handler before the channel is recovered instead. Default 10,000. */
  readonly backlogMax?: number
  /** Where positions are kept. Default: in memory. */
  readonly cursorStore?: CursorStore
  /** What the server's logs and console call this client. Default `holdfast-js`. */
  readonly name?: string
  /** The version of the application. Default: that of this package. */
  readonly version?: string
  /** Time, for simulations. Default: the machine's. */
  readonly clock?: Clock
  /** Chance, for simulations. Default: the machine's. */
  readonly random?: Random
  /** When to look whether the connection still lives. Default: page shown, network back. */
  readonly wakes?: WakeSource
}

/** The options with every default filled in. */
export interface Settings extends Required<Omit<HoldfastOptions, 'token' | 'WebSocket' | 'backoff' | 'offlineQueue'>> {
  readonly url: string
  readonly token: TokenOption | undefined
  readonly WebSocket: WebSocketConstructor | undefined
  readonly backoff: BackoffOptions
  readonly offlineQueue: OfflineQueueOptions
}

/** The version of this package. */
export const VERSION = '0.1.0'

/**
 * Checks the options and fills in the defaults.
 *
 * @throws HoldfastError `invalid_option`, which names the option, the expectation and the value received.
 */
export function settingsFrom(url: string, options: HoldfastOptions): Settings {
  const { backoff = {}, offlineQueue = {} } = options
  const queueDefaults = { countMax: 10_000, bytesMax: 4 * 1024 * 1024, ageMaxMs: 240_000 }
  return {
    ...filled<Omit<Settings, 'url' | 'backoff' | 'offlineQueue'>>(options, {
      connect: true,
      maxAttempts: 0,
      stableMs: 10_000,
      connectTimeoutMs: 10_000,
      requestTimeoutMs: 10_000,
      backlogMax: 10_000,
      name: 'holdfast-js',
      version: VERSION,
      token: undefined,
      WebSocket: undefined,
      clock: systemClock,
      random: systemRandom,
      wakes: browserWakes,
      cursorStore: memoryCursor(),
    }),
    backoff: filled(backoff, { minMs: 500, maxMs: 30_000 }, 'backoff.'),
    offlineQueue: filled(offlineQueue, queueDefaults, 'offlineQueue.'),
    url: checkUrl(url),
  }
}

/** What is given, else what `defaults` say; where the default is a number, it has to be a whole one. */
function filled<T extends object>(given: { readonly [N in keyof T]?: T[N] | undefined }, defaults: T, prefix = ''): T {
  const all = { ...defaults }
  for (const name in defaults) {
    const value: unknown = given[name] ?? defaults[name]
    if (typeof defaults[name] === 'number' && !(Number.isSafeInteger(value) && (value as number) >= 0))
      throw invalid(`options.${prefix}${name}`, 'an integer from 0', value)
    all[name] = value as T[typeof name]
  }
  return all
}

/** An address as `ws:` or `wss:`; in a page it may be relative, and `http:` stands for `ws:`. */
function checkUrl(url: string): string {
  const here = (globalThis.location as Location | undefined)?.href
  const address = URL.canParse(url, here) ? new URL(url, here).href.replace(/^http/, 'ws').replace(/#.*/, '') : ''
  if (!/^wss?:/.test(address)) throw invalid('url', 'an address such as wss://host/ws', url)
  return address
}

function invalid(name: string, expected: string, received: unknown): HoldfastError {
  return new HoldfastError('invalid_option', `${name} must be ${expected}, received ${JSON.stringify(received)}`)
}
