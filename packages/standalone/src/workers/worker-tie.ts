import cluster from 'node:cluster'

/** Where a worker serves, for the banner. */
export interface Serving {
  readonly url: string
  readonly webSocketUrl: string
  readonly demo: boolean
}

/**
 * What a worker is told to do: `retire` makes room for its successor on the same port, `drain` goes with the whole
 * machine's port, which stays open meanwhile so that load balancers learn of it.
 */
export type Order = 'retire' | 'drain'

/** What a worker tells: that it takes orders, that it listens, and that it can serve. */
export type Report =
  | { readonly kind: 'attentive' }
  | { readonly kind: 'listening'; readonly serving: Serving }
  | { readonly kind: 'ready' }

/** The variable that tells a worker its place. */
export const PLACE_VARIABLE = 'HOLDFAST_WORKER'

/** What ties a worker to the process that started it. */
export interface WorkerTie {
  /** Its place among the workers, from 1; a successor takes the place over. */
  readonly place: number
  report(report: Report): void
  /** Calls `task` with each order, also with one that was given before. */
  onOrder(task: (order: Order) => void): void
  /** Lets go of the other process, which would else keep this one alive. */
  leave(): void
}

/** The tie of this process, where it was started as a worker. */
export function workerTie(): WorkerTie | undefined {
  const { worker } = cluster
  if (worker === undefined) return undefined
  // Whoever started it may be gone; then the tie breaks, and with it the process ends.
  const report = (what: Report): void => void (worker.isConnected() && worker.send(what))
  return {
    place: Number(process.env[PLACE_VARIABLE] ?? worker.id),
    report,
    onOrder(task) {
      worker.on('message', task)
      report({ kind: 'attentive' })
    },
    leave: () => void worker.disconnect(),
  }
}
