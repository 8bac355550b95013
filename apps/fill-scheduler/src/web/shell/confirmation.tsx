import { type ReactElement, type ReactNode, useEffect, useRef } from 'react'
import { Dialog } from './dialog.js'
import { Notice } from './notice.js'
import { useAction } from './use-action.js'

/** Asks before something that cannot be undone, and says when it could not be done. */
export function Confirmation(props: {
  readonly title: string
  readonly verb: string
  readonly children: ReactNode
  readonly onConfirm: () => Promise<unknown>
  readonly onClose: () => void
}): ReactElement {
  const { run, isBusy, problem } = useAction()
  const isDone = useRef(false)
  useEffect(
    () => () => {
      // The button that asked is mostly gone by then, with what it stood beside.
      if (isDone.current) document.getElementById('main')?.focus({ preventScroll: true })
    },
    [],
  )
  const confirm = async (): Promise<void> => {
    await props.onConfirm()
    isDone.current = true
    props.onClose()
  }
  const action = (
    <button type="button" className="danger" aria-disabled={isBusy} onClick={() => run(confirm)}>
      {props.verb}
    </button>
  )
  return (
    <Dialog title={props.title} onClose={props.onClose} action={action}>
      {props.children}
      {problem && <Notice tone="bad">{problem}</Notice>}
    </Dialog>
  )
}
