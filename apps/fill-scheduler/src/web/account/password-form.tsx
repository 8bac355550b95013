import { type ReactElement, type SubmitEvent, useRef, useState } from 'react'
import { formText } from '../session/form-text.js'
import { Notice } from '../shell/notice.js'
import { useAction } from '../shell/use-action.js'
import { changePassword } from './account-changes.js'

/** Sets another password, for whoever knows the current one. */
export function PasswordForm({ email }: { readonly email: string }): ReactElement {
  const form = useRef<HTMLFormElement>(null)
  const [isDone, setIsDone] = useState(false)
  const { run, isBusy, problem } = useAction()
  const change = async (sent: FormData): Promise<void> => {
    setIsDone(false)
    const [current, next] = [formText(sent, 'current'), formText(sent, 'next')]
    await changePassword(email, current, next)
    form.current?.reset()
    setIsDone(true)
  }
  const onSubmit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const sent = new FormData(event.currentTarget)
    run(() => change(sent))
  }
  return (
    <form ref={form} className="stack" onSubmit={onSubmit} aria-busy={isBusy}>
      {/* Programs that keep passwords have to know whose it is. */}
      <input type="email" autoComplete="username" value={email} readOnly hidden />
      <label className="field">
        <span>Current password</span>
        <input name="current" type="password" autoComplete="current-password" required maxLength={256} />
      </label>
      <label className="field">
        <span>New password</span>
        <input name="next" type="password" autoComplete="new-password" required minLength={8} maxLength={256} />
        <small>At least 8 characters. Wherever else you are signed in, you have to sign in again.</small>
      </label>
      {problem && <Notice tone="bad">{problem}</Notice>}
      {isDone && <Notice tone="good">The new password is set.</Notice>}
      <p>
        <button type="submit" className="primary" aria-disabled={isBusy}>
          {isBusy ? 'One moment …' : 'Set the new password'}
        </button>
      </p>
    </form>
  )
}
