/** One event of an event stream (HTML standard, 9.2.5). */
export interface StreamEvent {
  /** What the reader names when it comes back. */
  readonly id?: string | undefined
  readonly event?: string | undefined
  /** JSON text. */
  readonly data: string
  /** Milliseconds that the reader waits before it comes back. */
  readonly retryMs?: number | undefined
}

/** A line that says nothing: the stream lives. */
export const HEARTBEAT_LINE = ': ping\n\n'

/** The text of an event. Its data is one line: where a line could break outside of strings, JSON means no more than by a space. */
export function eventText({ id, event, data, retryMs }: StreamEvent): string {
  const line = /[\r\n]/.test(data) ? data.replaceAll(/[\r\n]/g, ' ') : data
  return `${field('id', id)}${field('event', event)}${field('retry', retryMs)}data: ${line}\n\n`
}

/** The text that says how long the reader waits before it comes back, and no more. */
export function retryText(retryMs: number): string {
  return `retry: ${retryMs}\n\n`
}

function field(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : `${name}: ${value}\n`
}
