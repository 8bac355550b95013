/** Calls back when the device may have been away and is back; returns its undo. */
export type WakeSource = (wake: () => void) => () => void

/** A page that becomes visible, a network that returns. Does nothing outside a browser. */
export const browserWakes: WakeSource = (wake) => {
  const page = globalThis.document as Document | undefined
  if (!page) return () => {}
  const onVisible = (): void => {
    if (page.visibilityState === 'visible') wake()
  }
  page.addEventListener('visibilitychange', onVisible)
  globalThis.addEventListener('online', wake)
  return () => {
    page.removeEventListener('visibilitychange', onVisible)
    globalThis.removeEventListener('online', wake)
  }
}
