import { useConnection } from '@holdfast/client/react'
import { type ReactElement, useEffect } from 'react'
import { api } from '../api/api.js'

/** Whether what is shown is live; says so where it is not, with a way to try at once. */
export function ConnectionNote(): ReactElement {
  const { status, connect } = useConnection()
  useEffect(() => {
    // A refusal for good is mostly a token that is no longer good: asking for the account tells, and ends the session then.
    if (status === 'failed') api.account().catch(() => {})
  }, [status])
  const isWaiting = status === 'waiting' || status === 'failed' || status === 'closed'
  return (
    <p className="connection" data-status={status} role="status">
      <span className="dot" aria-hidden="true" />
      <span className="connection-word">{WORDS[status]}</span>
      {isWaiting && (
        <button type="button" className="as-link" onClick={connect}>
          Try now
        </button>
      )}
    </p>
  )
}

const WORDS = {
  idle: 'Connecting',
  connecting: 'Connecting',
  open: 'Live',
  waiting: 'Reconnecting',
  closed: 'Not connected',
  failed: 'Not connected',
} as const
