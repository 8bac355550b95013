import type { ActivityKind } from '../../planning/plan.js'
import type { Settings, SettingsInput } from '../../planning/settings.js'
import type { Mode, StrategyName } from '../../planning/strategy-name.js'
import type { Kpis, PlanStatistics } from '../../planning/strategy.js'
import type { RunStatus } from '../../store/store.js'

// What the REST API answers, as it stands on the wire.

/** What is wrong with a file, a lot or a setting. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly code: string
  readonly message: string
  /** Line of the file, the heading being line 1. */
  readonly row?: number
  readonly column?: string
  readonly lot_id?: string
  /** Path of a setting. */
  readonly field?: string
}

/** Somebody with an account. */
export interface Account {
  readonly id: string
  readonly email: string
  readonly created_at: string
}

/** A lot. */
export interface LotData {
  readonly lot_id: string
  readonly lot_type: string
  readonly vials: number
  readonly fill_hours?: number
  readonly due?: string
  readonly priority?: number
}

/** What a check of lots came to. */
export interface Verdict {
  readonly valid: boolean
  readonly errors: readonly Problem[]
  readonly warnings: readonly Problem[]
  readonly lots_count: number
  readonly lots_data: readonly LotData[]
}

/** One bar of a plan; times with their offset. */
export interface PlannedActivity {
  readonly start: string
  readonly end: string
  readonly start_hours: number
  readonly end_hours: number
  readonly kind: ActivityKind
  readonly line: number
  readonly lot_id?: string | null
  readonly lot_type?: string | null
  readonly note?: string | null
  readonly frozen?: boolean
}

/** Why a run failed. */
export interface Failure {
  readonly code: string
  readonly message: string
}

/** A schedule in a list. */
export interface ScheduleSummary {
  readonly id: string
  readonly name: string
  readonly description?: string | null
  readonly strategy: StrategyName
  readonly mode: Mode
  readonly status: RunStatus
  readonly error?: Failure | null
  readonly lots_count: number
  readonly makespan?: number | null
  readonly utilization?: number | null
  readonly replans?: string | null
  readonly created_at: string
  readonly started_at?: string | null
  readonly ended_at?: string | null
}

/** How good a plan is known to be. */
export interface Proof {
  readonly status: 'optimal' | 'feasible'
  readonly bound_hours: number
  readonly gap: number
}

/** What planning came to. */
export interface ScheduleResult {
  readonly makespan: number
  readonly utilization: number
  readonly changeovers: number
  readonly lots_scheduled: number
  readonly window_violations: number
  readonly kpis: Kpis
  readonly statistics?: Partial<PlanStatistics>
  readonly proof?: Proof | null
  /** Seconds. */
  readonly execution_time?: number
  readonly warnings: readonly (Problem | string)[]
  readonly activities: readonly PlannedActivity[]
}

/** A schedule with everything. */
export interface Schedule extends ScheduleSummary {
  readonly config: SettingsInput
  readonly lots_data: readonly LotData[]
  readonly result: ScheduleResult | null
}

/** One page of a list. */
export interface Listed<T> {
  readonly items: readonly T[]
  readonly total: number
  readonly page: number
  readonly pages: number
}

/** How many schedules there are. */
export interface Counts {
  readonly total: number
  readonly by_status: Partial<Record<RunStatus, number>>
  readonly by_strategy: Partial<Record<StrategyName, number>>
}

/** A way to plan. */
export interface StrategyInfo {
  readonly name: StrategyName
  readonly aliases: readonly string[]
  readonly description: string
}

/** A strategy of a comparison, or the order that the lots were given in. */
export type Contender = StrategyName | 'given'

/** What one strategy of a comparison came to. */
export interface ContenderResult {
  readonly strategy: Contender
  readonly status: RunStatus
  readonly error?: Failure | null
  readonly makespan?: number | null
  readonly utilization?: number | null
  readonly changeovers?: number | null
  readonly lots_scheduled?: number | null
  readonly window_violations?: number | null
  readonly execution_time?: number | null
  readonly kpis?: Kpis | null
  readonly activities?: readonly PlannedActivity[] | null
}

/** A comparison in a list. */
export interface ComparisonSummary {
  readonly id: string
  readonly name: string
  readonly status: RunStatus
  readonly mode: Mode
  readonly strategies: readonly StrategyName[]
  readonly lots_count: number
  readonly best_strategy?: Contender | null
  readonly best_makespan?: number | null
  readonly created_at: string
}

/** A comparison with everything. */
export interface Comparison extends ComparisonSummary {
  readonly config?: SettingsInput
  readonly lots_data?: readonly LotData[]
  readonly results: readonly ContenderResult[]
}

/** Settings with a name. */
export interface Template {
  readonly id: string
  readonly name: string
  readonly description?: string | null
  readonly is_public: boolean
  readonly is_default: boolean
  /** Whether it may be changed: it is one's own. */
  readonly is_own: boolean
  readonly settings: SettingsInput
  readonly updated_at?: string
}

/** The settings that hold where nobody says otherwise. */
export interface SystemDefault {
  readonly settings: Settings
}
