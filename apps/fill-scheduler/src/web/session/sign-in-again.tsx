import { type ReactElement, type SubmitEvent, useEffect, useId, useRef } from 'react'
import { api } from '../api/api.js'
import { Notice } from '../shell/notice.js'
import { useAccount } from '../shell/account.js'
import { useAction } from '../shell/use-action.js'
import { formText } from './form-text.js'
import { end, renew } from './session.js'

/** Asks for the password where the session has run out, in front of a page that stays as it is, with all that was written there. */
export function SignInAgain(props: {
  /** When the session began that goes on. */
  readonly since: number
  readonly isByLink: boolean
}): ReactElement {
  const { since, isByLink } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  const { email } = useAccount()
  const { run, isBusy, problem } = useAction()
  useEffect(() => dialog.current?.showModal(), [])
  const onSubmit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const password = formText(new FormData(event.currentTarget), 'password')
    run(async () => renew(await api.login({ email, password }), since))
  }
  return (
    // Nothing behind it works before somebody has signed in: closed with Escape it comes again.
    <dialog ref={dialog} aria-labelledby={`${id}-title`} onClose={() => dialog.current?.showModal()}>
      <h2 id={`${id}-title`}>Sign in again</h2>
      <div className="stack">
        <p>Your session has ended. What you have written here is still there, and what runs goes on.</p>
        {isByLink ? (
          <p>You came in by a link, which is good once. Open another one, which the server prints when it starts.</p>
        ) : (
          <form id={id} className="stack" onSubmit={onSubmit} aria-busy={isBusy}>
            {/* Programs that keep passwords have to know whose it is. */}
            <input type="email" autoComplete="username" value={email} readOnly hidden />
            <label className="field">
              <span>Password of {email}</span>
              <input
                name="password"
                type="password"
                autoComplete="current-password"
                required
                maxLength={256}
                autoFocus
              />
            </label>
            {problem && <Notice tone="bad">{problem}</Notice>}
          </form>
        )}
      </div>
      <div className="actions end">
        <button type="button" onClick={() => end('wished', since)}>
          Sign out
        </button>
        {!isByLink && (
          <button type="submit" form={id} className="primary" aria-disabled={isBusy}>
            {isBusy ? 'One moment …' : 'Sign in'}
          </button>
        )}
      </div>
    </dialog>
  )
}
