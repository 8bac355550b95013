import { systemClock } from '../clock.js'
import type { Configuration } from '../configuration.js'
import { EXIT } from '../failure.js'
import { createLog } from '../log.js'
import type { Shell } from '../shell.js'
import { Supervisor } from './supervisor.js'
import { forkWorker } from './worker-process.js'
import type { Serving } from './worker-tie.js'

/** What a drain takes at most when nothing is configured, as the server has it. */
const DRAIN_DEADLINE_MS = 30_000

/** What a worker needs besides: to finish what runs, to flush, to let go of the engine. */
const ENDING_MARGIN_MS = 10_000

/** What serving with several workers needs to know. */
export interface WorkersParts {
  readonly configuration: Configuration
  readonly count: number
  readonly shell: Shell
  /** Called once, when the first worker listens. */
  begun(serving: Serving): void
}

/**
 * Serves with several processes on one port. SIGTERM and SIGINT drain them all and end with 0; a second one ends them at once. SIGHUP replaces
 * them one by one, each handing its clients over to the others; on a terminal it means that the terminal is gone, and ends them.
 */
export async function serveWorkers({ configuration, count, shell, begun }: WorkersParts): Promise<number> {
  const log = createLog(configuration.log, shell.stderr)
  const endsWithinMs = drainMsMax(configuration) + ENDING_MARGIN_MS
  const supervisor = new Supervisor({ count, fork: forkWorker, clock: systemClock, log, endsWithinMs })
  const stopped = untilStopped(shell, supervisor)
  const started = await Promise.race([supervisor.start(), stopped])
  if (typeof started === 'number') return started
  if (typeof started === 'object') {
    begun(started)
    if (!shell.stdout.isTTY) shell.onSignal('SIGHUP', () => void supervisor.restart())
  }
  const reason = await Promise.race([stopped, supervisor.gaveUp.then((why) => ({ why }))])
  if (typeof reason === 'object') log.fatal({ reason: reason.why }, 'giving up')
  else log.info({ signal: reason }, 'stopping')
  const endedWell = await supervisor.stop()
  log.info({}, 'stopped')
  return endedWell && typeof reason === 'string' ? EXIT.done : EXIT.failed
}

/** Resolves with the first signal that means the end; the second ends everything at once. */
function untilStopped(shell: Shell, supervisor: Supervisor): Promise<string> {
  const names = shell.stdout.isTTY ? (['SIGINT', 'SIGTERM', 'SIGHUP'] as const) : (['SIGINT', 'SIGTERM'] as const)
  return new Promise((resolve) => {
    let signals = 0
    for (const name of names) {
      shell.onSignal(name, () => {
        signals += 1
        if (signals === 1) return resolve(name)
        supervisor.kill()
        shell.exit(EXIT.interrupted)
      })
    }
  })
}

function drainMsMax({ drain = {} }: Configuration): number {
  const { delayMs, deadlineMs } = drain
  return (typeof delayMs === 'number' ? delayMs : 0) + (typeof deadlineMs === 'number' ? deadlineMs : DRAIN_DEADLINE_MS)
}
