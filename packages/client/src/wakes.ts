/** Calls back when the device may have been away and is back; returns its undo. */
export type WakeSource = (wake: () => void) => () => void

/** A page that becomes visible, a network that returns. Does nothing outside a browser. */
export const browserWakes: WakeSource = (wake) => {
  const listening = new AbortController()
  const page = globalThis.document as Document | undefined
  if (page) {
    const { signal } = listening
    const onVisible = (): void => {
      if (page.visibilityState === 'visible') wake()
    }
    page.addEventListener('visibilitychange', onVisible, { signal })
    globalThis.addEventListener('online', wake, { signal })
  }
  return () => listening.abort()
}
