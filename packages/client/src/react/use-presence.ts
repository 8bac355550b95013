import type { Counts, Member } from '@holdfast/protocol'
import { useEffect, useMemo, useSyncExternalStore } from 'react'
import { HoldfastError, asHoldfastError } from '../errors.js'
import type { Holdfast } from '../holdfast.js'
import { NOBODY } from '../roster.js'
import type { SubscriptionState } from '../subscription.js'
import { useHoldfast } from './provider.js'
import { Store } from './store.js'

/** Who is in a channel. */
export interface PresenceView {
  /** In a channel of more than 1,000 a part of them; `counts` tells the whole. */
  readonly members: readonly Member[]
  readonly counts: Counts
  readonly status: SubscriptionState
  /** Why there is no access. */
  readonly error: HoldfastError | undefined
}

/** How to be a member. */
export interface UsePresenceOptions {
  /** What the others are told of us (a status, say; at most 1 KiB of JSON). May change; what was told stays where it is left out. */
  readonly info?: unknown
}

const NONE: PresenceView = { members: [], counts: NOBODY, status: 'unsubscribed', error: undefined }
const none = (): PresenceView => NONE

/** Joins a channel as a member as long as the component is there, and tells who else is. Without a name nothing. */
export function usePresence(name: string | undefined, { info }: UsePresenceOptions = {}): PresenceView {
  const client = useHoldfast()
  const store = useMemo(() => presenceStore(client, name), [client, name])
  const view = useSyncExternalStore(store.subscribe, store.get, none)
  // After it has begun, which forgets what went wrong before.
  useEffect(() => {
    if (info !== undefined && name !== undefined) tell(store, client, name, info)
  }, [store, client, name, info])
  return view
}

/** What stays the same is not sent again, so that an object which is made in each rendering does no harm. */
function tell(store: Store<PresenceView>, client: Holdfast | undefined, name: string, info: unknown): void {
  try {
    client?.channel(name).presence.tell(info)
  } catch (thrown) {
    store.set({ error: asHoldfastError(thrown, 'handler_failed', 'Not told') })
  }
}

function presenceStore(client: Holdfast | undefined, name: string | undefined): Store<PresenceView> {
  const store: Store<PresenceView> = new Store(NONE, () =>
    client && name !== undefined ? watch(store, client, name) : () => {},
  )
  return store
}

function watch(store: Store<PresenceView>, client: Holdfast, name: string): () => void {
  const channel = client.channel(name)
  const { presence } = channel
  const look = (): void => store.set({ status: channel.status })
  const read = (): void => store.set({ members: [...presence.members.values()], counts: presence.counts })
  const offs = [
    presence.on('change', read),
    // The roster listens only while the channel is subscribed for somebody.
    channel.on('subscribed', () => store.set({ status: channel.status, error: undefined })),
    channel.on('unsubscribed', ({ code, message }) => {
      store.set({ ...NONE, error: new HoldfastError(code, message) })
    }),
    client.on('state', look),
  ]
  store.set({ status: channel.status, error: undefined })
  if (channel.status === 'subscribed') read()
  return () => offs.forEach((off) => off())
}
