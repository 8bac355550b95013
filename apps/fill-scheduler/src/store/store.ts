import type { PlanningResult } from '../planning/strategy.js'
import type { Mode, StrategyName } from '../planning/strategy-name.js'
import type { Lot } from '../planning/lot.js'
import type { SettingsInput } from '../planning/settings.js'
import type { Activity } from '../planning/plan.js'
import type { Problem } from '../problem.js'

/** Where users, plans, comparisons and templates are kept. Two adapters: an embedded file, and PostgreSQL; `conformance.ts` says what both must do. Ids are texts made by the caller. Times are ISO 8601 in UTC. */
export interface Store {
  readonly users: UserStore
  readonly schedules: ScheduleStore
  readonly comparisons: ComparisonStore
  readonly templates: TemplateStore
  readonly runs: RunStore
  /** Brings the tables to the newest version; safe while other processes do the same. */
  migrate(): Promise<void>
  /** Whether it answers. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** The database does not answer, or is busy for too long. The same may succeed later; nothing is known of what was being written. */
export class StoreAwayError extends Error {
  readonly code = 'store_away'

  constructor(cause: unknown) {
    super(`the store is away: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'StoreAwayError'
  }
}

/** How much one user may have: schedules and comparisons, counted together. */
export interface Room {
  /** That have not ended. */
  readonly openMax: number
  readonly plansMax: number
}

/** A user has as much as is allowed; nothing was written. */
export class NoRoomError extends Error {
  readonly limit: 'open_runs' | 'plans' | 'templates'
  readonly max: number

  constructor(limit: NoRoomError['limit'], max: number) {
    super(`no room for more ${limit}: ${max} are allowed`)
    this.name = 'NoRoomError'
    this.limit = limit
    this.max = max
  }
}

/** The account was closed meanwhile; nothing was written. */
export class NoUserError extends Error {
  constructor() {
    super('there is no such user any more')
    this.name = 'NoUserError'
  }
}

/** An account. The e-mail address is kept in lower case and unique. */
export interface User {
  readonly id: string
  readonly email: string
  readonly passwordHash: string
  readonly isActive: boolean
  readonly createdAt: string
}

/** Accounts. */
export interface UserStore {
  /** False when the address is taken. */
  create(user: User): Promise<boolean>
  byEmail(email: string): Promise<User | undefined>
  byId(id: string): Promise<User | undefined>
  /** Sets another password where `from` is still the one that is stored; false otherwise. */
  changePassword(id: string, change: { readonly from: string; readonly to: string }): Promise<boolean>
  /** Notes that a token was signed in this second (since 1970, by the clock of whoever signed it). False, and nothing is noted, unless the account is open and has this password. */
  noteToken(id: string, token: { readonly passwordHash: string; readonly second: number }): Promise<boolean>
  /** The latest second in which a token of the account was signed; 0: none was, or there is no such account. */
  tokensUntil(id: string): Promise<number>
  /** With everything of the user. Answers what `tokensUntil` was; undefined when there was no such account. */
  delete(id: string): Promise<number | undefined>
}

/** States of a run; the last three are final. */
export type RunStatus = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled'

/** Work to be done in the background: one schedule, or one strategy of a comparison. A running one is leased; who finds the lease lapsed takes it up again. */
export interface RunStore {
  /** Takes up to `limit` runs that are pending, or running with a lapsed lease, of those users first whose turn was longest ago; each gets a lease until `leaseUntil`, held by `runner`, and one more attempt unless it was theirs before. Two callers never get the same. */
  claim(query: {
    readonly runner: string
    readonly now: string
    readonly leaseUntil: string
    readonly limit: number
  }): Promise<readonly Run[]>
  /** Lets the leases of everybody but `runner` lapse at `at`: they are known to be gone. Their attempts are counted. */
  inherit(runner: string, at: string): Promise<void>
  /** False when another has it, or it has ended. */
  renew(id: string, runner: string, leaseUntil: string): Promise<boolean>
  /** Gives it back: anybody may have it at once, and this attempt is not counted. False when another has it, or it has ended. */
  release(id: string, runner: string, at: string): Promise<boolean>
  /** Ends it, with result or error, if `runner` still has it (undefined: whoever has it) and it has not ended; false otherwise. Sets what belongs to it (schedule or comparison result) in the same transaction. */
  finish(id: string, runner: string | undefined, end: RunEnd): Promise<boolean>
  /** Pending and running ones of a schedule or comparison. */
  open(owner: { readonly scheduleId: string } | { readonly comparisonId: string }): Promise<readonly Run[]>
}

/** One unit of background work. */
export interface Run {
  readonly id: string
  readonly userId: string
  readonly scheduleId?: string
  readonly comparisonId?: string
  readonly strategy: StrategyName | 'given'
  readonly mode: Mode
  /** How often it was begun, this time included. */
  readonly attempt: number
  readonly input: PlanInput
}

/** How a run ended. */
export type RunEnd =
  | { readonly status: 'completed'; readonly result: StoredResult; readonly at: string }
  | {
      readonly status: 'failed'
      readonly error: { readonly code: string; readonly message: string }
      readonly at: string
    }
  | { readonly status: 'cancelled'; readonly at: string }

/** Everything that planning needs. */
export interface PlanInput {
  readonly lots: readonly Lot[]
  readonly settings: SettingsInput
  /** Work of an earlier plan that stays as it is, when planning anew: what had begun by `fromHours`. */
  readonly frozen?: { readonly activities: readonly Activity[]; readonly fromHours: number }
  /** SHA-256 of the lots, in hex. */
  readonly lotsHash: string
}

/** A result as it is kept. */
export interface StoredResult extends PlanningResult {
  readonly problems: readonly Problem[]
}

/** One plan of a user. */
export interface Schedule {
  readonly id: string
  readonly userId: string
  readonly name: string
  readonly description?: string
  readonly strategy: StrategyName
  readonly mode: Mode
  readonly status: RunStatus
  readonly error?: { readonly code: string; readonly message: string }
  readonly input: PlanInput
  /** The schedule that it plans anew. */
  readonly replans?: string
  readonly result?: StoredResult
  readonly createdAt: string
  readonly startedAt?: string
  readonly endedAt?: string
}

/** A schedule in a list: without lots and activities. */
export type ScheduleSummary = Omit<Schedule, 'input' | 'result'> & {
  readonly lots: number
  readonly makespanHours?: number
  readonly utilisationPercent?: number
}

/** When a schedule was handed in, begun and ended. */
export type RunTimes = Pick<Schedule, 'strategy' | 'status' | 'createdAt' | 'startedAt' | 'endedAt'>

/** Which of a user's, newest first. `page` from 1; `pageSize` 1 to 100. */
export interface ListQuery {
  readonly page: number
  readonly pageSize: number
  readonly status?: RunStatus
  readonly strategy?: StrategyName
  /** Part of the name, in any case. */
  readonly search?: string
}

/** One page, and how many there are in all. */
export interface ListPage<T> {
  readonly items: readonly T[]
  readonly total: number
}

/** Schedules. Every method takes the user; what is another's does not exist. */
export interface ScheduleStore {
  /** With its run, in one transaction. Throws a `NoRoomError` where the user has as much as `room` says, whoever else writes at the same time. */
  create(schedule: Schedule, run: Omit<Run, 'attempt'>, room?: Room): Promise<void>
  get(userId: string, id: string): Promise<Schedule | undefined>
  /** How far it is, without reading it; undefined: there is none. */
  status(userId: string, id: string): Promise<RunStatus | undefined>
  list(userId: string, query: ListQuery): Promise<ListPage<ScheduleSummary>>
  /** How many there are by status and by strategy. */
  counts(userId: string): Promise<{
    readonly status: Partial<Record<RunStatus, number>>
    readonly strategy: Partial<Record<StrategyName, number>>
  }>
  /** Of each that there is. */
  times(userId: string): Promise<readonly RunTimes[]>
  delete(userId: string, id: string): Promise<boolean>
}

/** Several strategies on the same lots, and the order that they were given in. */
export interface Comparison {
  readonly id: string
  readonly userId: string
  readonly name: string
  readonly status: RunStatus
  readonly mode: Mode
  readonly strategies: readonly StrategyName[]
  readonly input: PlanInput
  readonly results: readonly ComparisonResult[]
  readonly createdAt: string
  readonly endedAt?: string
}

/** What one strategy (or the given order) came to. */
export interface ComparisonResult {
  readonly strategy: StrategyName | 'given'
  readonly status: RunStatus
  readonly error?: { readonly code: string; readonly message: string }
  readonly result?: StoredResult
}

/** A comparison in a list. */
export type ComparisonSummary = Omit<Comparison, 'input' | 'results'> & {
  readonly lots: number
  readonly bestStrategy?: StrategyName | 'given'
  readonly bestMakespanHours?: number
}

/** Comparisons, by user like schedules. The status of one follows from its runs: running once one is; ended when all are: completed if one is, else failed, or cancelled when one was and none is completed. */
export interface ComparisonStore {
  /** With its runs; `room` as for schedules. */
  create(comparison: Omit<Comparison, 'results'>, runs: readonly Omit<Run, 'attempt'>[], room?: Room): Promise<void>
  get(userId: string, id: string): Promise<Comparison | undefined>
  /** How far it is, or one strategy of it, without reading it; undefined: there is none. */
  status(userId: string, id: string, strategy?: StrategyName | 'given'): Promise<RunStatus | undefined>
  list(userId: string, query: ListQuery): Promise<ListPage<ComparisonSummary>>
  delete(userId: string, id: string): Promise<boolean>
}

/** Settings with a name: the owner writes, everybody reads public ones. */
export interface Template {
  readonly id: string
  readonly userId: string
  readonly name: string
  readonly description?: string
  readonly isPublic: boolean
  readonly isDefault: boolean
  readonly settings: SettingsInput
  readonly createdAt: string
  readonly updatedAt: string
}

/** Templates. */
export interface TemplateStore {
  /** Throws a `NoRoomError` where the user has `max`. */
  create(template: Template, max?: number): Promise<void>
  /** Own ones, and public ones of others. */
  get(userId: string, id: string): Promise<Template | undefined>
  /** Own ones first, then public ones of others (`publicOnly`: public ones alone), newest first. */
  list(
    userId: string,
    query: { readonly page: number; readonly pageSize: number; readonly publicOnly?: boolean },
  ): Promise<ListPage<Template>>
  /** False when it is not the user's own. */
  update(
    userId: string,
    id: string,
    change: Partial<Pick<Template, 'name' | 'description' | 'isPublic' | 'settings'>>,
    at: string,
  ): Promise<boolean>
  delete(userId: string, id: string): Promise<boolean>
  /** Makes it the one default of the user; undefined: none. False when it is not the user's own. */
  setDefault(userId: string, id: string | undefined): Promise<boolean>
  default(userId: string): Promise<Template | undefined>
}
