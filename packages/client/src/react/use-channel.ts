import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react'
import type { AnyMessage, EventMap, PublishOptions, Published } from '../channel.js'
import { type ChannelState, ChannelStore, NO_CHANNEL } from './channel-store.js'
import { type Outcome, outcomeOf } from './outcome.js'
import { notConnected, useHoldfast } from './provider.js'
import { Store } from './store.js'

/** Messages that are kept where nothing else is said. */
const LIMIT = 100
/** What the server gives of the past at once. */
const HISTORY_MAX = 1000

/** How a channel is to be used. */
export interface UseChannelOptions<M extends EventMap> {
  /** Messages that are kept, the newest ones. Default 100. */
  readonly limit?: number
  /** Messages of the past that are fetched first, at most 1,000. Default 0. */
  readonly history?: number
  /** Called with every message and signal, in order; the next one waits for the promise that it returns. May be another function at every rendering. */
  readonly onMessage?: (message: AnyMessage<M>) => unknown
}

/** A channel, and what can be done with it. The functions stay the same as long as name and client do. */
export interface ChannelView<M extends EventMap> extends ChannelState<M> {
  /** Resolves with where the message stands, or with why it does not. Never rejects. */
  readonly publish: <E extends keyof M & string>(
    event: E,
    data: M[E],
    options?: PublishOptions,
  ) => Promise<Outcome<Published>>
  /** Sends what is never stored; false without a connection. */
  readonly signal: <E extends keyof M & string>(event: E, data: M[E]) => boolean
  /** Tells the others that we type, or stopped; may be called at every keystroke. */
  readonly typing: (active: boolean) => void
}

/**
 * Subscribes to a channel as long as the component is there. Without a name to nothing. Components that use the same channel share one subscription; each
 * keeps its own messages, from when it came on (or `history`).
 */
export function useChannel<M extends EventMap = Record<string, unknown>>(
  name: string | undefined,
  { limit = LIMIT, history = 0, onMessage }: UseChannelOptions<M> = {},
): ChannelView<M> {
  const client = useHoldfast()
  const own = useMemo(() => {
    const bounds = { limit: Math.max(1, limit), history: Math.min(history, limit, HISTORY_MAX) }
    return client && name !== undefined ? new ChannelStore<M>(client, name, bounds) : undefined
  }, [client, name, limit, history])
  useEffect(() => {
    if (own) own.onMessage = onMessage
  })
  const { subscribe, get } = own ?? nothing<M>()
  const state = useSyncExternalStore(subscribe, get, noChannel<M>)
  const deeds = useDeeds<M>(name)
  return useMemo(() => ({ ...state, ...deeds }), [state, deeds])
}

function useDeeds<M extends EventMap>(name: string | undefined): Omit<ChannelView<M>, keyof ChannelState<M>> {
  const client = useHoldfast()
  const channel = useMemo(() => (name === undefined ? undefined : client?.channel<M>(name)), [client, name])
  const publish = useCallback<ChannelView<M>['publish']>(
    (event, data, options) => outcomeOf(channel ? channel.publish(event, data, options) : notConnected()),
    [channel],
  )
  const signal = useCallback<ChannelView<M>['signal']>(
    (event, data) => channel?.signal(event, data) ?? false,
    [channel],
  )
  const typing = useCallback((active: boolean) => channel?.typing(active), [channel])
  return useMemo(() => ({ publish, signal, typing }), [publish, signal, typing])
}

function noChannel<M extends EventMap>(): ChannelState<M> {
  return NO_CHANNEL as unknown as ChannelState<M>
}

const NOTHING = new Store(NO_CHANNEL, () => () => {})

function nothing<M extends EventMap>(): Store<ChannelState<M>> {
  return NOTHING as unknown as Store<ChannelState<M>>
}
