import { type ReactElement, type ReactNode, useState } from 'react'
import { messageOf } from '../api/request.js'
import { Dialog } from './dialog.js'
import { Notice } from './notice.js'

/** Asks before something that cannot be undone, and says when it could not be done. */
export function Confirmation(props: {
  readonly title: string
  readonly verb: string
  readonly children: ReactNode
  readonly onConfirm: () => Promise<unknown>
  readonly onClose: () => void
}): ReactElement {
  const [problem, setProblem] = useState<string>()
  const confirm = async (): Promise<void> => {
    try {
      await props.onConfirm()
      props.onClose()
    } catch (error) {
      setProblem(messageOf(error))
    }
  }
  const action = (
    <button type="button" className="danger" onClick={() => void confirm()}>
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
