import type { Position } from '@holdfast/protocol'
import type { Engine, Retention, Stream, StreamMessage } from '../../engine/engine.js'

/** Which part of a log is asked for: after `since` (the oldest are kept), before `before`, or the newest. */
export interface HistoryWish {
  readonly since?: Position | undefined
  readonly before?: Position | undefined
  readonly limit: number
  readonly bytesMax: number
}

/** A part of a log, in order. */
export interface HistoryPart {
  readonly epoch: string
  readonly messages: readonly StreamMessage[]
  /** Whether there is more in the direction that was read. */
  readonly more: boolean
}

/** Reads a part of a log. A position in an epoch that has ended gives no messages. */
export async function readHistory(
  engine: Pick<Engine, 'read'>,
  log: { readonly stream: Stream; readonly retention: Retention },
  { since, before, limit, bytesMax }: HistoryWish,
): Promise<HistoryPart> {
  const range = {
    ...(since && { from: since.offset + 1 }),
    ...(before && { before: before.offset }),
    limit,
    bytesMax,
  }
  // `since` reads forward from a position, everything else backward from the newest.
  const page = await engine.read(log.stream, log.retention, { ...range, keep: since ? 'oldest' : 'newest' })
  const asked = since ?? before
  const messages = asked !== undefined && asked.epoch !== page.epoch ? [] : page.messages
  const [oldest, newest] = [messages[0]?.offset ?? page.first, messages.at(-1)?.offset ?? page.top.offset]
  return { epoch: page.epoch, messages, more: since ? newest < page.top.offset : oldest > page.first }
}
