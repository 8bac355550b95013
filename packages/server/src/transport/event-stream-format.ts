import { memberText } from './event-stream-slices.js'
import { eventText, retryText } from './event-stream-text.js'

/** How what a reader of a channel is told becomes text. `position` is what it names when it comes back. */
export interface ChannelEventFormat {
  /** The verdict; its messages are told by themselves. */
  subscribed(payload: string, position: string | undefined): string
  message(payload: string, message: { readonly event?: string }, position: string | undefined): string
  other(type: string, payload: string, position?: string): string
  retry(ms: number): string
}

/** Events are named after the types of the protocol: an application may call its own `error` or `open`, which mean something else to an `EventSource`. */
export const channelEvents: ChannelEventFormat = {
  subscribed: (payload, id) => eventText({ id, event: 'subscribed', data: withoutMessages(payload) }),
  message: (data, _, id) => eventText({ id, event: 'message', data }),
  other: (event, data, id) => eventText({ id, event, data }),
  retry: retryText,
}

/** The events of an operation alone, named as the operation names them, each with its snapshot. */
export const operationEvents: ChannelEventFormat = {
  subscribed: () => '',
  message(payload, { event }) {
    const data = memberText(payload, 'data') ?? '{}'
    const { version } = JSON.parse(data) as { version?: number }
    return eventText({ id: version === undefined ? undefined : String(version), event, data })
  },
  other: () => '',
  retry: retryText,
}

/** `messages` is the last member of the verdict. */
function withoutMessages(payload: string): string {
  const messages = memberText(payload, 'messages') ?? ''
  return `${payload.slice(0, payload.length - 1 - messages.length)}[]}`
}
