import { type KeyboardEvent, type ReactElement, type ReactNode, useEffect, useId, useRef, useState } from 'react'

/** A button that opens a few more controls; closed by Escape, by a click elsewhere, and as the focus leaves. */
export function Menu(props: {
  readonly label?: string
  readonly face: ReactNode
  readonly className?: string
  /** Closes as something in it was clicked. */
  readonly closesOnClick?: boolean
  readonly children: ReactNode
}): ReactElement {
  const [isOpen, setIsOpen] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()
  useOutside(box, isOpen, () => setIsOpen(false))
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !isOpen) return
    setIsOpen(false)
    button.current?.focus()
  }
  return (
    <div className={`menu ${props.className ?? ''}`} ref={box} onKeyDown={onKeyDown}>
      <button
        type="button"
        ref={button}
        aria-label={props.label}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
      >
        {props.face}
      </button>
      <div id={id} className="menu-panel" hidden={!isOpen} onClick={() => props.closesOnClick && setIsOpen(false)}>
        {props.children}
      </div>
    </div>
  )
}

function useOutside(box: { readonly current: HTMLElement | null }, isOpen: boolean, close: () => void): void {
  const newest = useRef(close)
  useEffect(() => {
    newest.current = close
  })
  useEffect(() => {
    if (!isOpen) return
    const look = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) newest.current()
    }
    document.addEventListener('pointerdown', look)
    document.addEventListener('focusin', look)
    return () => {
      document.removeEventListener('pointerdown', look)
      document.removeEventListener('focusin', look)
    }
  }, [box, isOpen])
}
