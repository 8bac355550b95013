import type { Channel, StatusChange } from '@holdfast/client'
import { EXIT, Failure } from '../failure.js'
import type { Remote } from './remote.js'

/** Tells of losses and recoveries of a channel that is followed; resolves when the person ends it, rejects with a `Failure` when access or the server does. */
export function untilEnded(
  { client }: Pick<Remote, 'client'>,
  room: Channel,
  signal: AbortSignal,
  tell: (text: string) => void,
): Promise<number> {
  let lost = false
  const ended = new Promise<number>((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(EXIT.interrupted), { once: true })
    room.on('unsubscribed', ({ message }) => reject(new Failure(`access ended: ${message}`)))
    client.on('state', (change: StatusChange) => {
      if (change.state === 'failed' || (change.state === 'closed' && !signal.aborted))
        reject(new Failure(`closed: ${change.reason}`))
      if (change.state === 'waiting' && !lost)
        tell(`connection lost (${change.reason || 'no reason given'}); reconnecting`)
      if (change.state === 'open' && lost) tell('connected again')
      lost = change.state !== 'open'
    })
  })
  // Nobody waits for it yet while the first subscription is under way.
  ended.catch(() => {})
  return ended
}
