import { type Schema, text } from './schema.js'

/** `namespace:name`. Names are compared as they are: never decoded, folded or normalised. */
export const CHANNEL_NAME_PATTERN: RegExp = /^[a-z][a-z0-9-]{0,31}:[A-Za-z0-9_.:@~+=-]{1,220}$/

/** The schema of a channel name. */
export const channelName: Schema<string> = text({
  min: 3,
  max: 253,
  pattern: CHANNEL_NAME_PATTERN,
  expected:
    'a channel name such as room:42 (namespace of a-z, 0-9 and -, a colon, 1 to 220 of A-Z a-z 0-9 _ . : @ ~ + = -)',
})

/** Whether `name` is a channel name. */
export function isChannelName(name: unknown): name is string {
  return typeof name === 'string' && CHANNEL_NAME_PATTERN.test(name)
}

/** The namespace of a channel name: what stands before the first colon. */
export function namespaceOf(channel: string): string {
  return channel.slice(0, channel.indexOf(':'))
}

/** What stands after the first colon of a channel name. */
export function localNameOf(channel: string): string {
  return channel.slice(channel.indexOf(':') + 1)
}

/**
 * Any text (a user id, say) as one segment of a channel name. Characters that a segment cannot hold, and `~` itself, become `~`
 * and the two hexadecimal digits of each of their UTF-8 bytes, so that different texts give different segments. The length is
 * the caller's to check: a name holds 220 characters after its namespace.
 */
export function channelSegment(value: string): string {
  return value.replace(/[^A-Za-z0-9_.@+=-]/gu, (character) =>
    Array.from(bytesOf(character), (byte) => `~${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}

function bytesOf(character: string): Iterable<number> {
  const code = character.charCodeAt(0)
  // An encoder turns every lone surrogate into U+FFFD, and two texts would meet; this is what UTF-8 would have given it.
  const isLone = character.length === 1 && code >= 0xd800 && code <= 0xdfff
  return isLone ? [0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)] : new TextEncoder().encode(character)
}
