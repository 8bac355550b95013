import { useCallback, useMemo, useSyncExternalStore } from 'react'
import type { Holdfast } from '../holdfast.js'
import type { WhoWeAre } from '../identity.js'
import type { Status } from '../status.js'
import { useHoldfast } from './provider.js'
import { Store } from './store.js'

interface State {
  /** `idle` before the first connection, and on a server. */
  readonly status: Status
  /** Why it is so, in words. */
  readonly reason: string
  /** Milliseconds to the next attempt, in `waiting`. */
  readonly retryInMs: number | undefined
  /** Who the server says we are; undefined before the first welcome. */
  readonly identity: WhoWeAre | undefined
}

/** The connection, and how to begin and end it. */
export interface ConnectionView extends State {
  /** An attempt that waits is made now. */
  readonly connect: () => void
  /** Ends it, until `connect`. */
  readonly disconnect: () => void
}

const NONE: State = { status: 'idle', reason: '', retryInMs: undefined, identity: undefined }
const none = (): State => NONE

/** The state of the connection of the nearest provider. */
export function useConnection(): ConnectionView {
  const client = useHoldfast()
  const store = useMemo(() => connectionStore(client), [client])
  const state = useSyncExternalStore(store.subscribe, store.get, none)
  const connect = useCallback(() => client?.connect(), [client])
  const disconnect = useCallback(() => client?.disconnect(), [client])
  return useMemo(() => ({ ...state, connect, disconnect }), [state, connect, disconnect])
}

function connectionStore(client: Holdfast | undefined): Store<State> {
  const store: Store<State> = new Store(NONE, () => {
    if (!client) return () => {}
    store.set({ status: client.status, identity: client.identity })
    return client.on('state', ({ state, reason, retryInMs }) =>
      store.set({ status: state, reason, retryInMs, identity: client.identity }),
    )
  })
  return store
}
