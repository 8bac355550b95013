import { type ReactElement, type ReactNode, useEffect, useId, useRef } from 'react'

/** A question in front of everything else. Escape and the first button close it. */
export function Dialog(props: {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
  /** What it may end with, beside closing it. */
  readonly action: ReactNode
}): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={props.onClose}>
      <h2 id={id}>{props.title}</h2>
      <div className="stack">{props.children}</div>
      <div className="actions end">
        <button type="button" onClick={() => dialog.current?.close()}>
          Back
        </button>
        {props.action}
      </div>
    </dialog>
  )
}
