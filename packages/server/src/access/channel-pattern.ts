import { channelSegment } from '@holdfast/protocol'
import type { Identity } from './identity.js'

/**
 * A pattern of channel names, compared segment by segment (segments end at colons): a literal matches itself, `*` one segment,
 * `**` at the end one or more, `{user}` and `{tenant}` that of the identity, `{any-other-name}` one segment.
 */
export interface ChannelPattern {
  readonly source: string
  /** Whether the pattern names this channel for this identity; for the server itself (no identity) placeholders match any segment. */
  matches(channel: string, identity: Identity | undefined): boolean
}

const SEGMENT = /^(?:[A-Za-z0-9_.@~+=-]+|\*\*?|\{[a-z]+\})$/
const NAMESPACE = /^[a-z][a-z0-9-]{0,31}$/

/**
 * Reads a pattern.
 *
 * @throws RangeError naming the pattern when it is not one.
 */
export function compileChannelPattern(source: string): ChannelPattern {
  const segments = source.split(':')
  const [namespace, ...names] = segments
  const valid = NAMESPACE.test(namespace ?? '') && names.length > 0 && names.every((segment) => SEGMENT.test(segment))
  if (!valid || names.slice(0, -1).includes('**')) {
    throw new RangeError(
      `channels["${source}"] must be a pattern such as room:*, user:{user} or doc:*:comments (** only at the end)`,
    )
  }
  return { source, matches: (channel, identity) => matchSegments(segments, channel.split(':'), identity) }
}

function matchSegments(
  pattern: readonly string[],
  channel: readonly string[],
  identity: Identity | undefined,
): boolean {
  const open = pattern.at(-1) === '**'
  if (open ? channel.length < pattern.length : channel.length !== pattern.length) return false
  return pattern.every((segment, index) => matchSegment(segment, channel[index] ?? '', identity))
}

function matchSegment(pattern: string, segment: string, identity: Identity | undefined): boolean {
  if (segment === '') return false
  if (identity !== undefined && pattern === '{user}') return segment === channelSegment(identity.user)
  if (identity !== undefined && pattern === '{tenant}') return segment === channelSegment(identity.tenant)
  return pattern === '*' || pattern === '**' || pattern.startsWith('{') || pattern === segment
}
