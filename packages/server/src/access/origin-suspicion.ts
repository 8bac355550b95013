import type { Origin } from './origin-text.js'

/** Why an origin is one that attackers like: an `address` instead of a name, a `tunnel` to anybody's machine, an `extension` of a browser. */
export type Suspicion = 'address' | 'tunnel' | 'extension'

/** Under each of these anybody has a name within a minute. */
const TUNNELS = [
  'ngrok.io',
  'ngrok.app',
  'ngrok.dev',
  'ngrok-free.app',
  'ngrok-free.dev',
  'loca.lt',
  'localtunnel.me',
  'trycloudflare.com',
  'serveo.net',
  'localhost.run',
  'lhr.life',
  'devtunnels.ms',
  'pagekite.me',
]

/** What is suspicious about an origin. Named exactly in the options it is allowed all the same; no wildcard reaches it, and the log says why. */
export function suspicionOf({ scheme, host }: Origin): Suspicion | undefined {
  if (scheme.endsWith('-extension')) return 'extension'
  if (isTunnel(host)) return 'tunnel'
  return isAddress(host) ? 'address' : undefined
}

/** Whether a host is one of the tunnels, or below one. */
export function isTunnel(host: string): boolean {
  return TUNNELS.some((tunnel) => host === tunnel || host.endsWith(`.${tunnel}`))
}

/** Whether a host is an address, or the name of the machine itself. A last label of digits is an address, however it is written (URL standard, 3.5). */
export function isAddress(host: string): boolean {
  return host.startsWith('[') || /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(host) || /(?:^|\.)localhost$/.test(host)
}
