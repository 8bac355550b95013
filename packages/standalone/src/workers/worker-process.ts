import cluster from 'node:cluster'
import { type Order, PLACE_VARIABLE, type Report, type Serving } from './worker-tie.js'

/** How a worker ended. */
export interface WorkerEnd {
  readonly code: number | null
  readonly signal: string | null
}

/** A worker as the process that started it sees it. */
export interface WorkerProcess {
  readonly pid: number
  /** Resolves when it listens; never where it ends before. */
  readonly listening: Promise<Serving>
  /** Resolves when it can serve; never where it ends before. */
  readonly ready: Promise<void>
  readonly ended: Promise<WorkerEnd>
  tell(order: Order): void
  /** Ends it at once. */
  kill(): void
}

/** Starts a worker for the place `place`: the same command line again, sharing the ports that it listens on. */
export function forkWorker(place: number): WorkerProcess {
  const worker = cluster.fork({ [PLACE_VARIABLE]: place })
  const reported = <K extends Report['kind']>(kind: K): Promise<Report & { kind: K }> =>
    new Promise((resolve) => {
      worker.on('message', (report: Report) => {
        if (report.kind === kind) resolve(report as Report & { kind: K })
      })
    })
  // What a process is told before it listens for it is lost.
  const attentive = reported('attentive')
  // A worker that is going takes no orders any more.
  worker.on('error', () => undefined)
  return {
    pid: worker.process.pid ?? 0,
    listening: reported('listening').then(({ serving }) => serving),
    ready: reported('ready').then(() => undefined),
    ended: new Promise((resolve) => worker.once('exit', (code, signal) => resolve({ code, signal }))),
    tell: (order) => void attentive.then(() => worker.isConnected() && worker.send(order)),
    kill: () => void worker.process.kill('SIGKILL'),
  }
}
