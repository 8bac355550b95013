import type { GapRange, Sender } from '@holdfast/protocol'
import { printable } from './text-width.js'

/** What a line shows of a message. */
export interface ShownMessage {
  readonly at: string
  readonly offset: number | undefined
  readonly event: string
  readonly from: Sender
  readonly data: unknown
}

/** A message as people read it: local time of day, offset, event, sender, data. */
export function renderMessageLine({ at, offset, event, from, data }: ShownMessage): string {
  const time = new Date(at).toTimeString().slice(0, 8)
  const place = offset === undefined ? '' : `#${offset}`
  return printable([time, place, event, senderOf(from), textOf(data)].filter((part) => part !== '').join('  '))
}

/** What a reader is told of messages that cannot be had any more. Of an old stream nobody knows how far it went. */
export function renderGapLine({ from, to, reason }: GapRange): string {
  if (to === null) return `gap: messages from ${from} on, if there were any, are lost (${reason})`
  return `gap: ${from === to ? `message ${from} is` : `messages ${from} to ${to} are`} lost (${reason})`
}

function senderOf(from: Sender): string {
  return 'system' in from ? '(system)' : from.user
}

/** A chat-like message is its text; anything else is shown as it is. */
function textOf(data: unknown): string {
  if (typeof data === 'string') return data
  const names = typeof data === 'object' && data !== null ? Object.keys(data) : []
  const text = (data as { text?: unknown } | null)?.text
  return names.length === 1 && typeof text === 'string' ? text : (JSON.stringify(data) ?? '')
}
