import { Worker } from 'node:worker_threads'
import type { Lot } from '../planning/lot.js'
import type { Settings } from '../planning/settings.js'
import type { PlanningProgress, PlanningResult } from '../planning/strategy.js'
import type { Mode, StrategyName } from '../planning/strategy-name.js'
import { InputError, type Problem } from '../problem.js'
import type { PlanInput } from '../store/store.js'

/** Everything that a thread needs to plan. Lots have passed `validateLots`. */
export interface PlanRequest {
  readonly lots: readonly Lot[]
  readonly settings: Settings
  /** `given`: in the order of `lots`. */
  readonly strategy: StrategyName | 'given'
  readonly mode: Mode
  readonly frozen?: NonNullable<PlanInput['frozen']>
}

/** How planning is watched and stopped. */
export interface PlanWatch {
  /** Aborted: the thread ends within a second, whatever it does, and the signal's reason is thrown. */
  readonly signal?: AbortSignal
  /** Called at most about ten times a second. */
  readonly onProgress?: (progress: PlanningProgress) => void
  /** Mebibytes of JavaScript heap that the thread may use (default 1,024). */
  readonly memoryMb?: number
}

/** What a planning thread tells. */
export type ThreadMessage =
  | { readonly kind: 'progress'; readonly progress: PlanningProgress }
  | { readonly kind: 'result'; readonly result: PlanningResult }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
  | { readonly kind: 'failed'; readonly message: string }

/** Planning that came to nothing for a reason that is not in the input. */
export class PlanningFailure extends Error {
  readonly code: 'planning_failed' | 'planning_out_of_memory' | 'planning_died'

  constructor(code: PlanningFailure['code'], message: string) {
    super(message)
    this.name = 'PlanningFailure'
    this.code = code
  }
}

/** Threads run what was built, also where a test runs the sources. */
const WORKER = new URL('../../dist/runs/planning-worker.js', import.meta.url)
const MEMORY_MB = 1_024

/**
 * Plans in a thread of its own. Throws an `InputError` where the strategy refuses the input, a `PlanningFailure` where planning fails, the thread
 * dies or its memory is used up, and the signal's reason when it is aborted.
 */
export function planInThread(
  request: PlanRequest,
  { signal, onProgress, memoryMb = MEMORY_MB }: PlanWatch = {},
): Promise<PlanningResult> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const worker = startThread(request, memoryMb)
    const stop = (): void => void worker.terminate()
    signal?.addEventListener('abort', stop)
    worker.on('message', (message: ThreadMessage) => {
      if (message.kind === 'progress') return onProgress?.(message.progress)
      if (message.kind === 'result') resolve(message.result)
      else reject(refusalOf(message))
      stop()
    })
    worker.on('messageerror', (error) => reject(new PlanningFailure('planning_failed', error.message)))
    worker.on('error', (error: unknown) => reject(failureOf(error)))
    worker.on('exit', () => {
      signal?.removeEventListener('abort', stop)
      reject(signal?.aborted ? signal.reason : new PlanningFailure('planning_died', 'the planning thread ended early'))
    })
  })
}

/** Its standard output goes nowhere: a solver that prints must not end up in the output of a program. */
function startThread(request: PlanRequest, memoryMb: number): Worker {
  const resourceLimits = { maxOldGenerationSizeMb: memoryMb }
  const worker = new Worker(WORKER, { workerData: request, execArgv: [], stdout: true, resourceLimits })
  worker.stdout.resume()
  return worker
}

function refusalOf(message: ThreadMessage & { readonly kind: 'refused' | 'failed' }): Error {
  if (message.kind === 'refused') return new InputError(message.problems)
  return new PlanningFailure('planning_failed', message.message)
}

function failureOf(error: unknown): PlanningFailure {
  const { message, code } = error as NodeJS.ErrnoException
  if (code === 'ERR_WORKER_OUT_OF_MEMORY')
    return new PlanningFailure('planning_out_of_memory', 'planning needed more memory than it may use')
  return new PlanningFailure('planning_failed', message)
}
