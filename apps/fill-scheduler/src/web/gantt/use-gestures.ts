import { type RefObject, useEffect, useRef } from 'react'
import { type View, panned, spanOf, zoomed } from './view.js'

/** What gestures work on. */
export interface Gestured {
  readonly view: View
  readonly whole: View
  readonly widthPx: number
  readonly onView: (view: View) => void
  /** A click or tap, at pixels from the left and top edge. */
  readonly onPick: (x: number, y: number) => void
}

/** A pointer that moves less than this between down and up has clicked. */
const CLICK_PX_MAX = 4

/** Wheel and pinch zoom, drag and sideways wheel move. Where everything is in view already, the wheel scrolls the page as ever. */
export function useGestures(surface: RefObject<SVGSVGElement | null>, gestured: Gestured): void {
  const newest = useRef(gestured)
  useEffect(() => {
    newest.current = gestured
  })
  useEffect(() => {
    const element = surface.current
    if (!element) return
    const gestures = new Gestures(
      element,
      () => newest.current,
      (view) => {
        // Several gestures may come before the next rendering: each goes on from the one before.
        newest.current = { ...newest.current, view }
        newest.current.onView(view)
      },
    )
    return () => gestures.end()
  }, [surface, gestured.widthPx > 0])
}

class Gestures {
  readonly #element: SVGSVGElement
  readonly #now: () => Gestured
  readonly #show: (view: View) => void
  readonly #ending = new AbortController()
  /** Where each pointer that is down was last. */
  readonly #pointers = new Map<number, { x: number; y: number }>()
  #movedPx = 0

  constructor(element: SVGSVGElement, now: () => Gestured, show: (view: View) => void) {
    this.#element = element
    this.#now = now
    this.#show = show
    const { signal } = this.#ending
    element.addEventListener('wheel', (event) => this.#wheel(event), { signal, passive: false })
    element.addEventListener('pointerdown', (event) => this.#down(event), { signal })
    element.addEventListener('pointermove', (event) => this.#move(event), { signal })
    element.addEventListener('pointerup', (event) => this.#up(event), { signal })
    element.addEventListener('pointercancel', (event) => this.#pointers.delete(event.pointerId), { signal })
  }

  end(): void {
    this.#ending.abort()
  }

  #wheel(event: WheelEvent): void {
    const { view, whole, widthPx } = this.#now()
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)
    const amount = isSideways ? event.deltaX || event.deltaY : event.deltaY
    const next = isSideways
      ? panned(view, whole, (amount / widthPx) * spanOf(view))
      : zoomed(view, whole, Math.exp(-Math.max(-150, Math.min(150, amount)) * 0.003), this.#hoursAt(event.clientX))
    if (next.fromHours === view.fromHours && next.toHours === view.toHours && !event.ctrlKey) return
    event.preventDefault()
    this.#show(next)
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return
    if (this.#pointers.size === 0) this.#movedPx = 0
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY })
  }

  #move(event: PointerEvent): void {
    const last = this.#pointers.get(event.pointerId)
    if (!last) return
    const byPx = event.clientX - last.x
    this.#movedPx += Math.abs(byPx) + Math.abs(event.clientY - last.y)
    // Only what is dragged is followed outside: a captured pointer would take clicks from what lies around.
    if (this.#movedPx > CLICK_PX_MAX) this.#element.setPointerCapture(event.pointerId)
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1]
    if (other) this.#pinch(last.x, event.clientX, other.x)
    else this.#pan(byPx)
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY })
  }

  #up(event: PointerEvent): void {
    if (!this.#pointers.delete(event.pointerId) || this.#movedPx > CLICK_PX_MAX) return
    const { left, top } = this.#element.getBoundingClientRect()
    this.#now().onPick(event.clientX - left, event.clientY - top)
  }

  #pan(byPx: number): void {
    const { view, whole, widthPx } = this.#now()
    if (byPx !== 0) this.#show(panned(view, whole, (-byPx / widthPx) * spanOf(view)))
  }

  #pinch(fromX: number, toX: number, otherX: number): void {
    const { view, whole } = this.#now()
    const [before, after] = [Math.abs(fromX - otherX), Math.abs(toX - otherX)]
    if (before > 8 && after > 8) this.#show(zoomed(view, whole, after / before, this.#hoursAt((toX + otherX) / 2)))
  }

  #hoursAt(clientX: number): number {
    const { view, widthPx } = this.#now()
    const x = clientX - this.#element.getBoundingClientRect().left
    return view.fromHours + (x / widthPx) * spanOf(view)
  }
}
