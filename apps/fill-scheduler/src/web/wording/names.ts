import type { RunStatus } from '../../store/store.js'
import type { Contender } from '../api/answers.js'

/** What planners call a strategy. */
export const STRATEGY_TITLES: Readonly<Record<Contender, string>> = {
  given: 'Given order',
  'smart-pack': 'Smart pack',
  'spt-pack': 'Shortest first',
  'lpt-pack': 'Longest first',
  'cfs-pack': 'Cluster by type',
  'hybrid-pack': 'Hybrid pack',
  exact: 'Exact optimum',
  improver: 'Improver',
}

/** What planners call the state of a run. */
export const STATUS_TITLES: Readonly<Record<RunStatus, string>> = {
  pending: 'Waiting',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
}

/** Every state of a run. */
export const STATUSES = Object.keys(STATUS_TITLES) as readonly RunStatus[]

/** Whether a run goes on. */
export function isOpen(status: RunStatus): boolean {
  return status === 'pending' || status === 'running'
}
