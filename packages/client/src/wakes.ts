/** Calls back when the device may have been away and is back; returns its undo. */
export type WakeSource = (wake: () => void) => () => void

/** A page that becomes visible, a network that returns. Does nothing outside a browser. */
export const browserWakes: WakeSource = (wake) => {
  const page = globalThis.document as Document | undefined
  if (!page) return () => {}
  const stop = new AbortController()
  page.addEventListener('visibilitychange', () => page.hidden || wake(), stop)
  globalThis.addEventListener('online', wake, stop)
  return () => stop.abort()
}
