import { channelSegment } from '@holdfast/protocol'
import type { Identity } from './identity.js'

/**
 * A pattern of channel names, compared segment by segment (segments end at colons): a literal matches itself, `*` one segment,
 * `**` at the end one or more, `{user}` and `{tenant}` that of the identity, `{any-other-name}` one segment. No segment is empty: a name with two colons in a
 * row, or one at its end, is matched by none.
 */
export interface ChannelPattern {
  readonly source: string
  /** The first segment, always a literal. */
  readonly namespace: string
  /** Whether the pattern names exactly one channel, whoever asks. */
  readonly isLiteral: boolean
  /** Whether the pattern names this channel for this identity; for the server itself (no identity, or one of an API key) placeholders match any segment. */
  matches(channel: string, identity: Identity | undefined): boolean
}

const SEGMENT = /^(?:[A-Za-z0-9_.@~+=-]+|\*\*?|\{[a-z]+\})$/
const NAMESPACE = /^[a-z][a-z0-9-]{0,31}$/

/** Longer than any channel name; what is longer is no pattern. */
const PATTERN_LENGTH_MAX = 512

/**
 * Reads a pattern.
 *
 * @throws RangeError naming the pattern when it is not one.
 */
export function compileChannelPattern(source: string): ChannelPattern {
  const pattern = parseChannelPattern(source)
  if (pattern === undefined)
    throw new RangeError(
      `channels["${source}"] must be a pattern such as room:*, user:{user} or doc:*:comments (** only at the end)`,
    )
  return pattern
}

/** Reads a pattern; undefined when it is none. */
export function parseChannelPattern(source: string): ChannelPattern | undefined {
  if (source.length > PATTERN_LENGTH_MAX) return undefined
  const [namespace = '', ...names] = source.split(':')
  const valid = NAMESPACE.test(namespace) && names.length > 0 && names.every((name) => SEGMENT.test(name))
  if (!valid || names.slice(0, -1).includes('**')) return undefined
  return new SegmentPattern(source, namespace, names)
}

/** One segment: text that it must be, or a word for what it may be. */
type Segment = { readonly text: string } | 'any' | 'user' | 'tenant'

class SegmentPattern implements ChannelPattern {
  readonly source: string
  readonly namespace: string
  readonly isLiteral: boolean
  readonly #segments: readonly Segment[]
  /** Whether more may follow. */
  readonly #isOpen: boolean

  constructor(source: string, namespace: string, names: readonly string[]) {
    this.source = source
    this.namespace = namespace
    this.#segments = [{ text: namespace }, ...names.map(segmentOf)]
    this.#isOpen = names.at(-1) === '**'
    this.isLiteral = this.#segments.every((segment) => typeof segment === 'object')
  }

  // A walk over the name, without splitting it: this is asked for every message.
  matches(channel: string, identity: Identity | undefined): boolean {
    let start = 0
    for (const segment of this.#segments) {
      const end = endOfSegment(channel, start)
      if (end <= start || !fits(segment, channel, start, end, identity)) return false
      start = end + 1
    }
    while (this.#isOpen && start <= channel.length) {
      const end = endOfSegment(channel, start)
      if (end === start) return false
      start = end + 1
    }
    // One behind the end that closed the last segment.
    return start === channel.length + 1
  }
}

function segmentOf(name: string): Segment {
  if (name === '{user}') return 'user'
  if (name === '{tenant}') return 'tenant'
  return name.startsWith('*') || name.startsWith('{') ? 'any' : { text: name }
}

/** Where the segment that starts at `start` ends; -1 when there is none. */
function endOfSegment(channel: string, start: number): number {
  if (start > channel.length) return -1
  const colon = channel.indexOf(':', start)
  return colon < 0 ? channel.length : colon
}

function fits(segment: Segment, channel: string, start: number, end: number, identity: Identity | undefined): boolean {
  if (segment === 'any') return true
  if (typeof segment === 'object') return end - start === segment.text.length && channel.startsWith(segment.text, start)
  if (identity === undefined || identity.kind === 'server') return true
  const wanted = segmentsOf(identity)[segment]
  return end - start === wanted.length && channel.startsWith(wanted, start)
}

interface OwnSegments {
  readonly user: string
  readonly tenant: string
}

/** What the placeholders stand for, by identity: written once, compared often. */
const ownSegments = new WeakMap<Identity, OwnSegments>()

function segmentsOf(identity: Identity): OwnSegments {
  const known = ownSegments.get(identity)
  if (known !== undefined) return known
  const made = { user: channelSegment(identity.user), tenant: channelSegment(identity.tenant) }
  ownSegments.set(identity, made)
  return made
}
