import { useMemo, useSyncExternalStore } from 'react'
import { type Place, hrefOf, placeOf } from './place.js'

/** Where we are, followed as the address changes. */
export function usePlace(): Place {
  const fragment = useSyncExternalStore(subscribe, read)
  return useMemo(() => placeOf(fragment), [fragment])
}

/** Goes somewhere else; `back` then leads here again. */
export function go(place: Place): void {
  window.location.hash = hrefOf(place)
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener)
  return () => window.removeEventListener('hashchange', listener)
}

function read(): string {
  return window.location.hash
}
