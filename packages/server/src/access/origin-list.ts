import { getDomain } from 'tldts'
import { isAddress, isTunnel } from './origin-suspicion.js'
import { ORIGIN_CHARACTERS_MAX, type Origin, parentOf, readOrigin } from './origin-text.js'

/** How an origin was found in a list. */
export type OriginMatch = 'exact' | 'wildcard'

/** Origins that are allowed: exactly, or as the one label left of a host. Looking one up takes as long in a long list as in a short one. */
export class OriginList {
  readonly #exact = new Set<string>()
  /** What stands right of `*.`, with its scheme and port. */
  readonly #parents = new Set<string>()
  /** Whether a client that names no origin is allowed. */
  readonly allowsMissing: boolean

  constructor(entries: readonly OriginEntry[], allowsMissing: boolean) {
    for (const { origin, wildcard } of entries) (wildcard ? this.#parents : this.#exact).add(origin)
    this.allowsMissing = allowsMissing
  }

  /** Whether nobody at all is allowed. */
  get isEmpty(): boolean {
    return this.#exact.size + this.#parents.size === 0 && !this.allowsMissing
  }

  /** How an origin is allowed; undefined: it is not. */
  match(origin: Origin): OriginMatch | undefined {
    if (this.#exact.has(origin.text)) return 'exact'
    const parent = this.#parents.size > 0 ? parentOf(origin) : undefined
    return parent !== undefined && this.#parents.has(parent) ? 'wildcard' : undefined
  }
}

/** One entry of a list, as it is compared. */
export interface OriginEntry {
  /** The origin, or what stands right of `*.` */
  readonly origin: string
  readonly wildcard: boolean
}

/**
 * Reads an entry of the options: an origin, `null`, or an origin whose host begins with `*.`, which stands for exactly one label.
 *
 * @throws RangeError saying what the entry must be, in words that follow its name.
 */
export function readOriginEntry(entry: string, needsHttps: boolean): OriginEntry {
  const wildcard = entry.includes('*')
  const origin = readOrigin(wildcard ? entry.replace('://*.', '://') : entry)
  if (origin === undefined || entry.length > ORIGIN_CHARACTERS_MAX) throw new RangeError(FORM_EXPECTED)
  if (needsHttps && origin.scheme === 'http') throw new RangeError('must be https in production')
  if (wildcard) checkWildcard(origin)
  return { origin: origin.text, wildcard }
}

const FORM_EXPECTED =
  'must be an origin such as https://app.example.com, or https://*.example.com for one label in front of it; names of other scripts in Punycode'

/** Below a public suffix, such as com or github.io, everybody has a name; so has everybody with a tunnel. */
function checkWildcard({ scheme, host }: Origin): void {
  if (!/^https?$/.test(scheme) || isAddress(host)) throw new RangeError(FORM_EXPECTED)
  if (getDomain(host, { allowPrivateDomains: true, validateHostname: false }) === null)
    throw new RangeError('must have a host that somebody owns right of the *, not a public suffix')
  if (isTunnel(host)) throw new RangeError('must name the hosts of a tunnel one by one, without a *')
}
