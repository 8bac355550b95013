import { type ReactElement, useState, useSyncExternalStore } from 'react'
import { currentSession, onSession } from '../session/session.js'
import { useAccount } from '../shell/account.js'
import { Notice } from '../shell/notice.js'
import { PageHead } from '../shell/page-head.js'
import { moment } from '../wording/moments.js'
import { ClosingDialog } from './closing-dialog.js'
import { PasswordForm } from './password-form.js'

/** Who is signed in: another password, and the end of the account. */
export function AccountPage(): ReactElement {
  const { email, created_at: since } = useAccount()
  const isByLink = useSyncExternalStore(onSession, currentSession)?.isByLink
  const [isClosing, setIsClosing] = useState(false)
  return (
    <>
      <PageHead title="Account" note={`${email}, since ${moment(since)}`} />
      {isByLink && (
        <Notice tone="info">
          You came in by a link. This account has a password that nobody knows, so it can neither be changed nor closed
          here.
        </Notice>
      )}
      {!isByLink && (
        <>
          <section className="panel stack narrow" aria-labelledby="password-title">
            <h2 id="password-title">Password</h2>
            <PasswordForm email={email} />
          </section>
          <section className="panel stack narrow" aria-labelledby="closing-title">
            <h2 id="closing-title">Close the account</h2>
            <p>
              Everything of yours is removed: schedules, comparisons, and templates, also those that you share. What
              runs is cancelled.
            </p>
            <p>
              <button type="button" className="danger" onClick={() => setIsClosing(true)}>
                Close the account
              </button>
            </p>
          </section>
        </>
      )}
      {isClosing && <ClosingDialog email={email} onClose={() => setIsClosing(false)} />}
    </>
  )
}
