import { type OperationProgress, type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import { useCallback, useMemo, useSyncExternalStore } from 'react'
import { type HoldfastError, OperationError, asHoldfastError } from '../errors.js'
import type { Holdfast } from '../holdfast.js'
import type { Status } from '../status.js'
import { type Outcome, outcomeOf } from './outcome.js'
import { notConnected, useHoldfast } from './provider.js'
import { Store } from './store.js'

/** How an operation is watched: `loading` before the first snapshot, `reconnecting` while the last that is known is shown, `unavailable` where there is nothing for us. */
export type WatchStatus = 'idle' | 'loading' | 'live' | 'reconnecting' | 'ended' | 'unavailable'

interface State {
  readonly status: WatchStatus
  /** The newest that was received. */
  readonly snapshot: OperationSnapshot | undefined
  /** Why it did not complete (an `OperationError`), or why it cannot be watched. */
  readonly error: HoldfastError | undefined
}

/** An operation, as a page shows it. */
export interface OperationView<R> extends State {
  /** How far it is. */
  readonly progress: OperationProgress | undefined
  /** Seconds to go, with a range; absent before there is evidence. */
  readonly eta: OperationSnapshot['eta']
  /** What came out, where it completed. */
  readonly result: R | undefined
  /** Asks for it to be cancelled; resolves when that was taken, or with why it was not. Never rejects. */
  readonly cancel: () => Promise<Outcome<void>>
}

const NONE: State = { status: 'idle', snapshot: undefined, error: undefined }
const LOADING: State = { ...NONE, status: 'loading' }
const none = (): State => NONE

/** Watches an operation, from before its first report or after its end, as long as the component is there. Without an id nothing. */
export function useOperation<R = unknown>(id: string | undefined): OperationView<R> {
  const client = useHoldfast()
  const store = useMemo(() => (client && id !== undefined ? new OperationStore(client, id) : NOTHING), [client, id])
  const state = useSyncExternalStore(store.subscribe, store.get, none)
  const cancel = useCallback(
    () => outcomeOf(client && id !== undefined ? client.operation(id).cancel() : notConnected()),
    [client, id],
  )
  return useMemo(() => ({ ...state, ...partsOf<R>(state.snapshot), cancel }), [state, cancel])
}

function partsOf<R>(snapshot: OperationSnapshot | undefined): Pick<OperationView<R>, 'progress' | 'eta' | 'result'> {
  const result = snapshot?.state === 'completed' ? (snapshot.result as R) : undefined
  return { progress: snapshot?.progress, eta: snapshot?.eta, result }
}

const NOTHING = new Store(NONE, () => () => {})

/** An operation as one component sees it. */
class OperationStore extends Store<State> {
  readonly #client: Holdfast
  readonly #id: string
  /** Ends the loop over its snapshots. */
  #leave: () => void = () => {}
  /** The client had ended, by wish or for good, since it was watched. */
  #wasShut = false

  constructor(client: Holdfast, id: string) {
    super(LOADING, () => this.#begin())
    this.#client = client
    this.#id = id
  }

  #begin(): () => void {
    // An end is for good.
    if (this.get().status === 'ended') return () => {}
    const off = this.#client.on('state', ({ state }) => this.#moved(state))
    this.#watch()
    return () => {
      off()
      this.#leave()
    }
  }

  #watch(): void {
    const snapshots = this.#client.operation(this.#id)[Symbol.asyncIterator]()
    const reader = { isLeft: false }
    this.#leave = () => {
      reader.isLeft = true
      void snapshots.return()
    }
    if (this.get().status === 'unavailable') this.set(LOADING)
    void this.#read(snapshots, reader)
  }

  #moved(state: Status): void {
    const { status } = this.get()
    if (status === 'live' && state !== 'open') this.set({ status: 'reconnecting' })
    if (status === 'reconnecting' && state === 'open') this.set({ status: 'live' })
    if (state === 'closed' || state === 'failed') this.#wasShut = true
    // Whoever was disconnected by wish, or refused, and connects again, goes on.
    if (state !== 'open' || !this.#wasShut) return
    this.#wasShut = false
    if (status === 'unavailable') this.#watch()
  }

  async #read(snapshots: AsyncGenerator<OperationSnapshot, void>, reader: { readonly isLeft: boolean }): Promise<void> {
    try {
      for await (const snapshot of snapshots) {
        if (reader.isLeft) return
        this.set({ snapshot, status: isTerminal(snapshot.state) ? 'ended' : 'live', error: failureOf(snapshot) })
      }
    } catch (thrown) {
      if (reader.isLeft) return
      this.set({ status: 'unavailable', error: asHoldfastError(thrown, 'handler_failed', 'Cannot be watched') })
    }
  }
}

function failureOf(snapshot: OperationSnapshot): HoldfastError | undefined {
  return isTerminal(snapshot.state) && snapshot.state !== 'completed' ? new OperationError(snapshot) : undefined
}
