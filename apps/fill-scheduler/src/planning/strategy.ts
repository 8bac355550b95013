import type { Problem } from '../problem.js'
import type { Lot } from './lot.js'
import type { Arrangement, Plan } from './plan.js'
import type { Rules } from './rules.js'
import type { Settings } from './settings.js'
import type { Mode, StrategyName } from './strategy-name.js'

/** What a strategy is given. Lots have passed validation: each fits into a window by itself. */
export interface PlanningTask {
  readonly lots: readonly Lot[]
  readonly rules: Rules
  readonly settings: Settings
  readonly mode: Mode
  /** Aborted: planning stops and rejects with the signal's reason. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: PlanningProgress) => void
  /** Milliseconds that only grow; for time limits. */
  readonly now: () => number
}

/** How far planning is. What is counted never falls. */
export interface PlanningProgress {
  readonly done: number
  readonly total: number
  /** `lots`: lots placed. `percent`: of the gap closed or of the time given, whichever is further. */
  readonly unit: 'lots' | 'percent'
  /** The best objective so far and what no plan can be below, in hours. */
  readonly bestHours?: number
  readonly boundHours?: number
  readonly message?: string
}

/** What a strategy answers. */
export interface Planned {
  readonly arrangement: Arrangement
  readonly proof?: Proof
}

/** What is known about how good a plan is. */
export interface Proof {
  /** `optimal`: no plan has a better objective, late costs included. `feasible`: the best known when the search ended. */
  readonly status: 'optimal' | 'feasible'
  /** What no makespan can be below. */
  readonly boundHours: number
  /** (makespan − bound) / makespan, 0 to 1. Of the makespan alone: with due dates it says nothing about late costs. */
  readonly gap: number
}

/** One way to plan: one file in `strategies/`, `exact/` or `improver/`. */
export interface Strategy {
  readonly name: StrategyName
  readonly aliases: readonly string[]
  /** One sentence for planners. */
  readonly description: string
  /** Why it cannot be asked for this, naming settings; absent or empty: it can. Asked before anything is planned. */
  refusals?(task: Pick<PlanningTask, 'lots' | 'rules' | 'settings' | 'mode'>): readonly Problem[]
  plan(task: PlanningTask): Promise<Planned>
}

/** What planning came to. */
export interface PlanningResult {
  /** `given`: no strategy, the order of the lots. */
  readonly strategy: StrategyName | 'given'
  readonly mode: Mode
  readonly plan: Plan
  readonly kpis: Kpis
  readonly statistics: PlanStatistics
  readonly proof?: Proof
  readonly elapsedMs: number
}

/** The six figures of a plan, as text: hours with two decimals, numbers whole. */
export interface Kpis {
  readonly 'Makespan (h)': string
  readonly 'Total Clean (h)': string
  readonly 'Total Changeover (h)': string
  readonly 'Total Fill (h)': string
  readonly 'Lots Scheduled': string
  readonly 'Clean Blocks': string
}

/** The same and more as numbers. Hours unless said otherwise; of all lines together. */
export interface PlanStatistics {
  readonly makespanHours: number
  readonly cleanHours: number
  readonly changeoverHours: number
  readonly fillHours: number
  readonly closedHours: number
  readonly lots: number
  readonly blocks: number
  readonly changeovers: number
  /** Fill hours of 100 line hours. */
  readonly utilisationPercent: number
  readonly cleanPercent: number
  readonly changeoverHoursAverage: number
  readonly changeoverHoursMax: number
  readonly changeoverHoursMin: number
  readonly lateLots: number
  /** Sum over late lots. */
  readonly lateHours: number
  readonly windowViolations: number
}
