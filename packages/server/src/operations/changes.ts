import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import type { Clock } from '../clock.js'
import type { Engine } from '../engine/engine.js'
import type { OperationStore } from './store.js'

/** What somebody waits for. */
export interface Wait {
  /** The version that is known: any higher will do. `end`: nothing but the end will. */
  readonly version: number | 'end'
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** Waits until an operation is at a higher version, or has ended, or time is over; answers its snapshot then. */
export async function awaitChange(
  { engine, clock, store }: { readonly engine: Engine; readonly clock: Clock; readonly store: OperationStore },
  tenant: string,
  id: string,
  wait: Wait,
): Promise<OperationSnapshot | undefined> {
  const read = async (): Promise<OperationSnapshot | undefined> => (await store.read(tenant, id))?.snapshot
  const first = await read()
  if (first === undefined || isReached(first, wait) || wait.timeoutMs <= 0) return first
  let wake = (): void => undefined
  const woken = new Promise<void>((resolve) => (wake = resolve))
  const cancel = clock.after(wait.timeoutMs, wake)
  wait.signal?.addEventListener('abort', wake, { once: true })
  const ignore = (): void => undefined
  const look = (): void => void read().then((snapshot) => (isReached(snapshot, wait) ? wake() : undefined), ignore)
  let undo: (() => Promise<void>) | undefined
  try {
    undo = await engine.listen(store.stream(tenant, id), {
      message: (_, { data }) => (isReached(JSON.parse(data) as OperationSnapshot, wait) ? wake() : undefined),
      signal: ignore,
      members: ignore,
      rotated: look,
      uncertain: look,
    })
    // Between the first look and listening there may have been the change.
    look()
    if (wait.signal?.aborted !== true) await woken
    return await read()
  } finally {
    cancel()
    wait.signal?.removeEventListener('abort', wake)
    await undo?.()
  }
}

function isReached(snapshot: OperationSnapshot | undefined, { version }: Wait): boolean {
  return snapshot === undefined || isTerminal(snapshot.state) || (version !== 'end' && snapshot.version > version)
}
