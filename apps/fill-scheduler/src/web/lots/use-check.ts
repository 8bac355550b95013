import { useCallback, useEffect, useState } from 'react'
import { systemClock } from '../../clock.js'
import { type Check, api } from '../api/api.js'
import type { Problem, Verdict } from '../api/answers.js'
import { RequestError } from '../api/request.js'
import { useRetry } from '../api/use-retry.js'

/** What the server says of lots and settings. */
export interface Checked {
  readonly verdict: Verdict | undefined
  /** What is wrong with the settings, by their path. */
  readonly settingProblems: readonly Problem[]
  /** It could not be checked. */
  readonly error: unknown
  readonly isChecking: boolean
}

const NOTHING: Checked = { verdict: undefined, settingProblems: [], error: undefined, isChecking: false }
/** How long typing rests before what was typed is checked. */
const REST_MS = 350

/** Checks lots as they are typed, under what they are to be planned with; again by itself, and with `again` at once, where the line or the server had failed. */
export function useCheck({ csv, ...how }: Check): Checked & { readonly again: () => void } {
  const [checked, setChecked] = useState<Checked>(NOTHING)
  const [round, setRound] = useState(0)
  const howText = JSON.stringify(how)
  useEffect(() => {
    if (csv.trim() === '') return setChecked(NOTHING)
    setChecked((before) => ({ ...before, isChecking: true }))
    const ending = new AbortController()
    const undo = systemClock.after(REST_MS, () => {
      api.check({ ...(JSON.parse(howText) as typeof how), csv }, ending.signal).then(
        (verdict) => ending.signal.aborted || setChecked(judged(verdict)),
        (error: unknown) => ending.signal.aborted || setChecked(refused(error)),
      )
    })
    return () => {
      undo()
      ending.abort()
    }
  }, [csv, howText, round])
  const again = useCallback(() => setRound((before) => before + 1), [])
  useRetry(checked.error, again)
  return { ...checked, again }
}

function judged(verdict: Verdict): Checked {
  const settingProblems = verdict.errors.filter(({ field }) => field !== undefined)
  return { verdict, settingProblems, error: undefined, isChecking: false }
}

/** Settings that are wrong are refused before any lot is looked at. */
function refused(error: unknown): Checked {
  const settingProblems = error instanceof RequestError ? error.problems.filter(({ field }) => field !== undefined) : []
  return { ...NOTHING, settingProblems, error: settingProblems.length > 0 ? undefined : error }
}
