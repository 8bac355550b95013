import type { Reconnect } from '@holdfast/protocol'
import type { Ending } from './link.js'

/** What the client does after an ending. */
export interface Reaction {
  readonly reconnect: Reconnect
  /** Milliseconds from now that the server asked for. */
  readonly afterMs: number | undefined
}

/**
 * The reactions to close reasons that are no back-off: the table of the protocol without its texts, which a page need not load.
 * A test holds the two together.
 */
const REACTIONS: readonly (readonly [RegExp, Reconnect])[] = [
  [/^100[03] |^1008 (?:To|Ori|Con|Not|Bad|Dis)/, 'never'],
  [/^1008 (?:Authentication|Invalid) /, 'refresh'],
  [/^1012 Service|^1013 Too/, 'now'],
]

/** The reaction to an ending: `goodbye` wins over the close reason; an error of our own says whether trying again helps. */
export function reactionTo(ending: Ending, now: number): Reaction {
  const { goodbye, goodbyeAt = now, error, code, reason } = ending
  if (error) return { reconnect: error.retryable ? 'backoff' : 'never', afterMs: undefined }
  // A clock that was set back must not make it longer.
  const afterMs = goodbye?.after && Math.max(0, goodbye.after - Math.max(0, now - goodbyeAt))
  const found = REACTIONS.find(([pattern]) => pattern.test(`${code} ${reason}`))
  return { reconnect: goodbye?.reconnect ?? found?.[1] ?? 'backoff', afterMs }
}
