import type { Since } from '@holdfast/protocol'
import type { Engine, LogPage, Retention, Stream } from '../../engine/engine.js'
import { HoldfastError } from '../errors.js'
import type { Gate } from './gate.js'
import { type RecoveryLimits, type Verdict, freshEpochRange, judge, recoveryRange } from './recovery.js'

/** How often the log is read again because what was announced meanwhile did not join up with it. */
const READS_MAX = 5

/** After how long a client tries a subscribe again that could not be completed. */
const RETRY_AFTER_MS = 1_000

/** The log that a reader comes back to, and how much of it the reader may have. */
export interface JoinRequest {
  readonly stream: Stream
  readonly retention: Retention
  readonly since: Since | undefined
  readonly limits: RecoveryLimits
}

/** What a reader starts with: the verdict, and the log as it was read for it. */
export interface Joined {
  readonly verdict: Verdict
  readonly page: LogPage
}

/**
 * Reads what the reader missed and joins it with what the gate caught meanwhile. `accepts` may refuse where the two end; then the log is read again.
 *
 * @throws HoldfastError `recovery_overflow` when the two do not join up.
 */
export async function joinLog(
  engine: Engine,
  request: JoinRequest,
  gate: Gate,
  accepts: (verdict: Verdict) => boolean,
): Promise<Joined> {
  for (let reads = 0; reads < READS_MAX && !gate.overflowed; reads += 1) {
    const page = await read(engine, request)
    const live = gate.continuing(page.epoch, page.top.offset)
    if (live !== undefined && !gate.overflowed) {
      const verdict = judge(request.since, extend(page, live))
      if (accepts(verdict)) return { verdict, page }
    }
    gate.empty()
  }
  throw new HoldfastError('recovery_overflow', undefined, { retryAfter: RETRY_AFTER_MS })
}

async function read(engine: Engine, { stream, retention, since, limits }: JoinRequest): Promise<LogPage> {
  const page = await engine.read(stream, retention, recoveryRange(since, limits))
  const ended = typeof since === 'object' && since.epoch !== page.epoch
  return ended ? engine.read(stream, retention, freshEpochRange(limits)) : page
}

/** A page with the messages that were announced after it was read; its top is that of the last. */
function extend(page: LogPage, live: LogPage['messages']): LogPage {
  const last = live.at(-1)
  if (last === undefined) return page
  const top = { offset: last.offset ?? 0, id: last.id }
  return { ...page, top, messages: [...page.messages, ...live] }
}
