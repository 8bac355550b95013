import { useEffect, useRef } from 'react'
import { systemClock } from '../../clock.js'
import { currentSession, onSession } from '../session/session.js'
import { isPassing, isSessionOver } from './request.js'

const FIRST_MS = 1_000
const LONGEST_MS = 30_000

/** Asks again for what could not be had, while the reason may pass: after a while, longer each time; where the session was over, when somebody has signed in again. */
export function useRetry(error: unknown, again: () => void): void {
  const failures = useRef(0)
  useEffect(() => {
    if (error === undefined) {
      failures.current = 0
      return
    }
    if (isSessionOver(error)) return onSession(() => currentSession() && again())
    if (!isPassing(error)) return
    failures.current += 1
    return systemClock.after(Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures.current - 1)), again)
  }, [error, again])
}
