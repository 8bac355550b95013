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
 * and the two hexadecimal digits of each of their UTF-8 bytes, so that different texts give different segments.
 */
export function channelSegment(value: string): string {
  return value.replace(/[^A-Za-z0-9_.@+=-]/gu, (character) =>
    Array.from(
      new TextEncoder().encode(character),
      (byte) => `~${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    ).join(''),
  )
}
