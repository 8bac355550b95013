import { type ReactElement, type SubmitEvent, useId } from 'react'
import { formText } from '../session/form-text.js'
import { Dialog } from '../shell/dialog.js'
import { Notice } from '../shell/notice.js'
import { useAction } from '../shell/use-action.js'
import { closeAccount } from './account-changes.js'

/** Asks for the password before the account is closed. */
export function ClosingDialog(props: { readonly email: string; readonly onClose: () => void }): ReactElement {
  const id = useId()
  const { run, isBusy, problem } = useAction()
  const onSubmit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const password = formText(new FormData(event.currentTarget), 'password')
    run(() => closeAccount(password))
  }
  const action = (
    <button type="submit" form={id} className="danger" aria-disabled={isBusy}>
      {isBusy ? 'One moment …' : 'Close the account for good'}
    </button>
  )
  return (
    <Dialog title="Close the account?" onClose={props.onClose} action={action}>
      <p>Everything of {props.email} is removed. This cannot be undone.</p>
      <form id={id} className="stack" onSubmit={onSubmit} aria-busy={isBusy}>
        <label className="field">
          <span>Password</span>
          <input name="password" type="password" autoComplete="current-password" required maxLength={256} autoFocus />
        </label>
        {problem && <Notice tone="bad">{problem}</Notice>}
      </form>
    </Dialog>
  )
}
