import { useState } from 'react'
import { messageOf } from '../api/request.js'

/** Something that a button does at the server. */
export interface Action {
  /** Does it, unless it is being done; what goes wrong is `problem`. */
  readonly run: (work: () => Promise<unknown>) => void
  readonly isBusy: boolean
  readonly problem: string | undefined
}

/** Does one thing at a time, and says what went wrong. */
export function useAction(): Action {
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const done = async (work: () => Promise<unknown>): Promise<void> => {
    setIsBusy(true)
    setProblem(undefined)
    try {
      await work()
    } catch (error) {
      setProblem(messageOf(error))
    } finally {
      setIsBusy(false)
    }
  }
  return { run: (work) => void (isBusy || done(work)), isBusy, problem }
}
