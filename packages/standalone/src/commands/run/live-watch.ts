import type { OperationSnapshot } from '@holdfast/protocol'
import { type Clock, pause } from '../../clock.js'
import { clientOf } from '../remote.js'
import type { ServerAccess } from '../server-access.js'

const AGAIN_MS = 3_000

/** A watch over an operation that goes on until it is stopped. */
export interface LiveWatch {
  /** Whether what happens to the operation is heard at once. */
  readonly isLive: () => boolean
  stop(): void
}

/** Watches an operation through the connection of a client, so that a cancel is heard when it is asked for and not at the next report. What cannot be watched now is tried again. */
export function watchLive(
  access: ServerAccess,
  id: string,
  clock: Clock,
  see: (snapshot: OperationSnapshot) => void,
): LiveWatch {
  const client = clientOf(access)
  const leaving = new AbortController()
  let isHeard = false
  const follow = async (): Promise<void> => {
    while (!leaving.signal.aborted) {
      try {
        for await (const snapshot of client.operation(id)) {
          isHeard = true
          see(snapshot)
        }
      } catch {
        // Not to be watched: forgotten by the server, or another's. Reports tell the same, more slowly.
      }
      isHeard = false
      await pause(clock, AGAIN_MS, leaving.signal).catch(() => undefined)
    }
  }
  client.connect()
  void follow()
  return {
    isLive: () => isHeard && client.status === 'open',
    stop() {
      leaving.abort()
      client.disconnect()
    },
  }
}
