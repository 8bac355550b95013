import { useCallback, useEffect, useRef, useState } from 'react'
import { useRetry } from './use-retry.js'

/** Something that comes from the server: `value` stays while it, or another page of it, is fetched, so that nothing flickers. */
export interface Loaded<T> {
  readonly value: T | undefined
  readonly error: unknown
  readonly isLoading: boolean
  /** Fetches it anew. */
  readonly reload: () => void
}

/** Fetches as the component comes, again with another key, and by itself where the line or the server had failed. Answers that were overtaken are left out. */
export function useLoaded<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [round, setRound] = useState(0)
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>({ value: undefined, error: undefined, isLoading: true })
  const newest = useRef(load)
  useEffect(() => {
    newest.current = load
  })
  useEffect(() => {
    const ending = new AbortController()
    setState((before) => ({ ...before, isLoading: true }))
    newest.current(ending.signal).then(
      (value) => ending.signal.aborted || setState({ value, error: undefined, isLoading: false }),
      (error: unknown) => ending.signal.aborted || setState((before) => ({ ...before, error, isLoading: false })),
    )
    return () => ending.abort()
  }, [key, round])
  const reload = useCallback(() => setRound((before) => before + 1), [])
  useRetry(state.error, reload)
  return { ...state, reload }
}
