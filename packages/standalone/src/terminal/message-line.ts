import type { Sender } from '@holdfast/protocol'
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
