/** Every state of a client. `closed` is by wish (ours or the server's), `failed` means that trying again is useless. */
export type Status = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed' | 'failed'

/** What can happen to a client: a wish, or the end of an attempt or a connection. */
export type StatusInput = 'connect' | 'welcome' | 'lost' | 'disconnect' | 'refuse'

/** A change of state, as `client.on('state')` reports it. */
export interface StatusChange {
  readonly state: Status
  readonly previous: Status
  /** Why, in words: the close reason, or what was asked for. */
  readonly reason: string
  /** The close code, where a connection ended. */
  readonly code?: number
  /** Milliseconds to the next attempt, in `waiting`. */
  readonly retryInMs?: number
}

const AWAY = { connect: 'connecting', disconnect: 'closed' } as const
const TRYING = { welcome: 'open', lost: 'waiting', refuse: 'failed', disconnect: 'closed' } as const

const TRANSITIONS: Record<Status, Partial<Record<StatusInput, Status>>> = {
  idle: AWAY,
  connecting: TRYING,
  open: TRYING,
  waiting: AWAY,
  closed: AWAY,
  failed: AWAY,
}

/** The state that follows; the same one where the input means nothing. */
export function transition(status: Status, input: StatusInput): Status {
  return TRANSITIONS[status][input] ?? status
}
