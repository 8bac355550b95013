import { useConnection } from '@holdfast/client/react'
import { type ReactElement, useEffect, useRef, useSyncExternalStore } from 'react'
import { api } from '../api/api.js'
import { currentSession, onSession } from '../session/session.js'

/** Whether what is shown is live; says so where it is not, with a way to try at once. */
export function ConnectionNote(): ReactElement {
  const { status, connect } = useConnection()
  const token = useSyncExternalStore(onSession, currentSession)?.token
  const tried = useRef<string>(undefined)
  useEffect(() => {
    if (status !== 'failed' || tried.current === token) return
    // A refusal for good is mostly a token that is no longer good: asking for the account tells, and ends the session then. With a good one, which is
    // new after a change of the password, it is tried once more.
    api.account().then(
      () => ((tried.current = token), connect()),
      () => {},
    )
  }, [status, token, connect])
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
