import { useChannel } from '@holdfast/client/react'
import { useEffect, useRef } from 'react'
import { useAccount } from './account.js'

/** Something of the user's is different now. */
export interface Change {
  readonly kind: 'schedule' | 'comparison' | 'template'
  readonly id: string
  readonly status: string
}

/** Calls back when something of the user's changed, in this tab or elsewhere; without a change when some may have been missed. */
export function useChanges(onChange: (change?: Change) => void): void {
  const newest = useRef(onChange)
  useEffect(() => {
    newest.current = onChange
  })
  const { gap } = useChannel<{ changed: Change }>(`user:${useAccount().id}`, {
    onMessage: ({ event, data }) => event === 'changed' && newest.current(data),
  })
  useEffect(() => {
    if (gap) newest.current()
  }, [gap])
}
