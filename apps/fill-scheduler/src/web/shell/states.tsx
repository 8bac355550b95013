import type { ReactElement, ReactNode } from 'react'
import { RequestError, messageOf } from '../api/request.js'
import { Link } from '../navigation/link.js'
import { Notice } from './notice.js'

/** Something is on its way. */
export function Loading({ what }: { readonly what: string }): ReactElement {
  return (
    <div className="state" role="status">
      <span className="spinner" aria-hidden="true" />
      <p>{what} …</p>
    </div>
  )
}

/** Something could not be had; with a way to try again, or away from what is not there. */
export function Failed({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }): ReactElement {
  if (error instanceof RequestError && error.status === 404)
    return (
      <Empty title={error.message}>
        <p className="muted">It may have been deleted.</p>
        <Link to={{ page: 'schedules' }}>To your schedules</Link>
      </Empty>
    )
  return (
    <div className="state">
      <Notice tone="bad">{messageOf(error)}</Notice>
      <button type="button" onClick={onRetry}>
        Try again
      </button>
    </div>
  )
}

/** Behind words that say what went wrong. */
export function TryAgain({ onAgain }: { readonly onAgain: () => void }): ReactElement {
  return (
    <button type="button" className="as-link" onClick={onAgain}>
      Try again
    </button>
  )
}

/** There is nothing yet, and what to do about it. */
export function Empty({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactElement {
  return (
    <div className="state empty">
      <svg viewBox="0 0 64 40" aria-hidden="true" className="empty-mark">
        <rect x="4" y="6" width="30" height="7" rx="2" />
        <rect x="20" y="17" width="26" height="7" rx="2" />
        <rect x="38" y="28" width="22" height="7" rx="2" />
      </svg>
      <h2>{title}</h2>
      {children}
    </div>
  )
}
