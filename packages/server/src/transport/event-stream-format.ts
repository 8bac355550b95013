import { memberText } from './event-stream-slices.js'
import { eventText, retryText } from './event-stream-text.js'

/**
 * How what a reader of a channel is told becomes text; `position` is what it names when it comes back. Events are named after the types of the protocol: an application may call its
 * own `error` or `open`, which mean something else to an `EventSource`.
 */
export const channelEvents: {
  /** The verdict; its messages are told by themselves. */
  subscribed(payload: string, position: string | undefined): string
  message(payload: string, position: string | undefined): string
  other(type: string, payload: string, position?: string): string
  retry(ms: number): string
} = {
  subscribed: (payload, id) => eventText({ id, event: 'subscribed', data: withoutMessages(payload) }),
  message: (data, id) => eventText({ id, event: 'message', data }),
  other: (event, data, id) => eventText({ id, event, data }),
  retry: retryText,
}

/** `messages` is the last member of the verdict. */
function withoutMessages(payload: string): string {
  const messages = memberText(payload, 'messages') ?? ''
  return `${payload.slice(0, payload.length - 1 - messages.length)}[]}`
}
