import { useChannel } from '@holdfast/client/react'
import { type ReactElement, type ReactNode, createContext, use, useEffect, useRef, useState } from 'react'
import { systemClock } from '../../clock.js'
import { isReading } from '../api/request.js'
import { currentSession } from '../session/session.js'
import { useAccount } from './account.js'

/** Something of the user's is different now. */
export interface Change {
  readonly kind: 'schedule' | 'comparison' | 'template'
  readonly id: string
  readonly status: string
}

type Listener = (change?: Change) => void

/** How often pages look for themselves while nothing can be heard. */
const LOOK_EVERY_MS = 10_000

const ChangesContext = createContext<Set<Listener> | undefined>(undefined)

/** Hears of changes for the pages below it. One subscription for all of them, so that none is missed between one page and the next. */
export function ChangesProvider({ children }: { readonly children: ReactNode }): ReactElement {
  const [listeners] = useState(() => new Set<Listener>())
  const { status, gap } = useChannel<{ changed: Change }>(`user:${useAccount().id}`, {
    limit: 1,
    onMessage: ({ event, data }) => {
      if (event === 'changed') for (const listener of [...listeners]) listener(data)
    },
  })
  const isHeard = status === 'subscribed'
  useEffect(() => {
    const look = (): void => {
      if (currentSession()) for (const listener of [...listeners]) listener()
    }
    // What was read before may have changed before it could be heard of.
    if (isHeard) look()
    else return systemClock.every(LOOK_EVERY_MS, () => isReading() || look())
  }, [listeners, isHeard, gap])
  return <ChangesContext value={listeners}>{children}</ChangesContext>
}

/** Calls back when something of the user's changed, in this tab or elsewhere; without a change when some may have been missed. */
export function useChanges(onChange: Listener): void {
  const listeners = use(ChangesContext)
  const newest = useRef(onChange)
  useEffect(() => {
    newest.current = onChange
  })
  useEffect(() => {
    const listener: Listener = (change) => newest.current(change)
    listeners?.add(listener)
    return () => void listeners?.delete(listener)
  }, [listeners])
}
