import { type Reconnect, reconnectAfterClose } from '@holdfast/protocol'
import type { Ending } from './link.js'

/** What the client does after an ending. */
export interface Reaction {
  readonly reconnect: Reconnect
  /** Milliseconds from now that the server asked for. */
  readonly afterMs: number | undefined
}

const KNOWN: readonly string[] = ['never', 'backoff', 'now', 'refresh'] satisfies Reconnect[]

/** The reaction to an ending: `goodbye` wins over the table of close codes; an error of our own says whether trying again helps. */
export function reactionTo(ending: Ending, now: number): Reaction {
  const { goodbye, goodbyeAt = now, error } = ending
  if (error) return { reconnect: error.retryable ? 'backoff' : 'never', afterMs: undefined }
  if (!goodbye) return { reconnect: reconnectAfterClose(ending.code, ending.reason), afterMs: undefined }
  const afterMs = goodbye.after === undefined ? undefined : Math.max(0, goodbye.after - (now - goodbyeAt))
  return { reconnect: KNOWN.includes(goodbye.reconnect) ? goodbye.reconnect : 'backoff', afterMs }
}
