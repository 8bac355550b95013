import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'

/** What a subscriber of an operation's channel starts with. */
export interface Opening {
  readonly event: string
  readonly data: string
  readonly at: string
  readonly final: boolean
}

/** The event that tells a new subscriber where an operation is. */
export function openingOf(snapshot: OperationSnapshot): Opening {
  const final = isTerminal(snapshot.state)
  return {
    event: isTerminal(snapshot.state) ? snapshot.state : 'progress',
    data: JSON.stringify(snapshot),
    at: snapshot.updatedAt,
    final,
  }
}
