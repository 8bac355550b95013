import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../clock.js'
import { rulesOf } from '../io/rules-of.js'
import { planLots } from '../planning/planner.js'
import type { PlanningProgress } from '../planning/strategy.js'
import { InputError } from '../problem.js'
import type { PlanRequest, ThreadMessage } from './plan-in-thread.js'

// The entry of a planning thread: plans what it was started with, and tells how far it is and what it came to.

/** Milliseconds between two words of progress. */
const PROGRESS_MS = 100

const tell = (message: ThreadMessage): void => parentPort?.postMessage(message)

try {
  tell({ kind: 'result', result: await plan(workerData as PlanRequest) })
} catch (error) {
  if (error instanceof InputError) tell({ kind: 'refused', problems: error.problems })
  else tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
}

function plan({ lots, settings, strategy, mode, frozen }: PlanRequest): ReturnType<typeof planLots> {
  const rules = rulesOf(settings, frozen)
  return planLots({ lots, rules, settings, mode, onProgress: seldom(), now: systemClock.monotonic }, strategy)
}

/** Tells the newest progress, ten times a second at most; the last of a strategy always. */
function seldom(): (progress: PlanningProgress) => void {
  let toldAt = -PROGRESS_MS
  return (progress) => {
    const now = systemClock.monotonic()
    if (now - toldAt < PROGRESS_MS && progress.done < progress.total) return
    toldAt = now
    tell({ kind: 'progress', progress })
  }
}
