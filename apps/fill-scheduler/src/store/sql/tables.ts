import type { Mode, StrategyName } from '../../planning/strategy-name.js'
import type { RunStatus } from '../store.js'

/**
 * The tables, one schema for every database; `migrations.ts` makes them. In SQL the names have underscores. Times are texts that `instant` wrote, so that their order is that of time;
 * flags are 0 and 1; what is JSON is text, of which nothing is asked in SQL.
 */
export interface Tables {
  users: UsersTable
  schedules: SchedulesTable
  scheduleResults: ScheduleResultsTable
  comparisons: ComparisonsTable
  comparisonResults: ComparisonResultsTable
  templates: TemplatesTable
  runs: RunsTable
  turns: TurnsTable
}

interface UsersTable {
  id: string
  email: string
  passwordHash: string
  isActive: number
  createdAt: string
  /** Seconds since 1970: the latest in which a token was signed, by whichever server’s clock. */
  tokensUntil: number
}

interface Ending {
  status: RunStatus
  errorCode: string | null
  errorMessage: string | null
}

interface SchedulesTable extends Ending {
  id: string
  userId: string
  name: string
  /** The name as searches compare it. */
  foldedName: string
  description: string | null
  strategy: StrategyName
  mode: Mode
  replans: string | null
  lots: number
  makespanHours: number | null
  utilisationPercent: number | null
  createdAt: string
  startedAt: string | null
  endedAt: string | null
  input: string
}

/** Beside the schedules, so that lists pass over nothing large. */
interface ScheduleResultsTable {
  scheduleId: string
  result: string
}

interface ComparisonsTable {
  id: string
  userId: string
  name: string
  foldedName: string
  mode: Mode
  status: RunStatus
  strategies: string
  lots: number
  bestStrategy: StrategyName | 'given' | null
  bestMakespanHours: number | null
  createdAt: string
  endedAt: string | null
  input: string
}

interface ComparisonResultsTable extends Ending {
  comparisonId: string
  strategy: StrategyName | 'given'
  /** Place among the results, from 0. */
  position: number
  makespanHours: number | null
  utilisationPercent: number | null
  changeovers: number | null
  result: string | null
}

interface TemplatesTable {
  id: string
  userId: string
  name: string
  description: string | null
  isPublic: number
  isDefault: number
  settings: string
  createdAt: string
  updatedAt: string
}

interface RunsTable {
  id: string
  userId: string
  scheduleId: string | null
  comparisonId: string | null
  /** Place among the runs of a comparison, from 0. */
  position: number
  strategy: StrategyName | 'given'
  mode: Mode
  status: RunStatus
  attempt: number
  runner: string | null
  leaseUntil: string | null
  createdAt: string
}

/** When a run of a user was taken last; of whom there is nothing here has had no turn. */
interface TurnsTable {
  userId: string
  servedAt: string
}
