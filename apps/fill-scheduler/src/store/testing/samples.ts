import type { StrategyName } from '../../planning/strategy-name.js'
import type { Comparison, PlanInput, Run, RunEnd, Schedule, Store, StoredResult, Template, User } from '../store.js'

/** The moment `seconds` after the beginning of the samples. */
export function at(seconds: number): string {
  return new Date(Date.UTC(2026, 0, 1) + seconds * 1_000).toISOString()
}

/** Who a sample belongs to, and when it was made. */
interface Origin {
  readonly id: string
  readonly userId: string
  readonly seconds?: number
}

/** An account of this id. */
export function userOf(id: string): User {
  return { id, email: `${id}@example.com`, passwordHash: 'scrypt$1', isActive: true, createdAt: at(0) }
}

const INPUT: PlanInput = {
  lots: [
    { id: 'A1', type: 'VialE', vials: 100_000, fillHours: 100_000 / 19_920 },
    { id: 'Ä2', type: 'Vial"H', vials: 1, fillHours: 1 / 19_920, dueHours: 48.25, priority: 3 },
  ],
  settings: { lines: 2, changeover: { matrix: { VialE: { 'Vial"H': 0.1 } } } },
  frozen: { activities: [{ kind: 'CLEAN', line: 1, startHours: 0, endHours: 24, frozen: true }], fromHours: 24 },
  lotsHash: 'ab'.repeat(32),
}

/** A schedule that nobody has planned yet. */
export function scheduleOf(origin: Origin, more: Partial<Schedule> = {}): Schedule {
  const { id, userId, seconds = 0 } = origin
  const created = { strategy: 'smart-pack', mode: 'improved', status: 'pending', createdAt: at(seconds) } as const
  return { id, userId, name: `Week of ${id}`, ...created, input: INPUT, ...more }
}

/** The work that a schedule asks for. */
export function runOf(schedule: Schedule): Omit<Run, 'attempt'> {
  const { id, userId, strategy, mode, input } = schedule
  return { id: `run-${id}`, userId, scheduleId: id, strategy, mode, input }
}

/** Keeps a new schedule with its run. */
export async function addSchedule(store: Store, origin: Origin, more: Partial<Schedule> = {}): Promise<Schedule> {
  const schedule = scheduleOf(origin, more)
  await store.schedules.create(schedule, runOf(schedule))
  return schedule
}

/** Keeps a new comparison with a run for the given order and for each strategy: `run-{id}-{strategy}`. */
export async function addComparison(
  store: Store,
  origin: Origin,
  more: Partial<Comparison> = {},
): Promise<Omit<Comparison, 'results'>> {
  const { id, userId, seconds = 0 } = origin
  const strategies: readonly StrategyName[] = more.strategies ?? ['spt-pack', 'lpt-pack']
  const created = { mode: 'improved', status: 'pending', strategies, input: INPUT, createdAt: at(seconds) } as const
  const comparison = { id, userId, name: `Which for ${id}`, ...created, ...more }
  const runs = (['given', ...strategies] as const).map((strategy) => {
    return { id: `run-${id}-${strategy}`, userId, comparisonId: id, strategy, mode: comparison.mode, input: INPUT }
  })
  await store.comparisons.create(comparison, runs)
  return comparison
}

/** A template that only its owner reads. */
export function templateOf(origin: Origin, more: Partial<Template> = {}): Template {
  const { id, userId, seconds = 0 } = origin
  const times = { createdAt: at(seconds), updatedAt: at(seconds) }
  return {
    id,
    userId,
    name: `Line ${id}`,
    isPublic: false,
    isDefault: false,
    settings: { lines: 2 },
    ...times,
    ...more,
  }
}

/** A result of this makespan. */
export function resultOf(makespanHours: number, strategy: StrategyName = 'smart-pack'): StoredResult {
  const hours = { cleanHours: 24, changeoverHours: 0, fillHours: makespanHours - 24, closedHours: 0 }
  const figures = { lots: 2, blocks: 1, changeovers: 1, lateLots: 0, lateHours: 0, windowViolations: 0 }
  const changes = { changeoverHoursAverage: 4, changeoverHoursMax: 4, changeoverHoursMin: 4 }
  const percents = { utilisationPercent: ((makespanHours - 24) / makespanHours) * 100, cleanPercent: 10 }
  return {
    strategy,
    mode: 'improved',
    plan: {
      activities: [
        { kind: 'CLEAN', line: 1, startHours: 0, endHours: 24, note: 'Block reset' },
        { kind: 'FILL', line: 1, startHours: 24, endHours: makespanHours, lotId: 'A1', lotType: 'VialE' },
      ],
      makespanHours,
    },
    kpis: {
      'Makespan (h)': makespanHours.toFixed(2),
      'Total Clean (h)': '24.00',
      'Total Changeover (h)': '0.00',
      'Total Fill (h)': (makespanHours - 24).toFixed(2),
      'Lots Scheduled': '2',
      'Clean Blocks': '1',
    },
    statistics: { makespanHours, ...hours, ...figures, ...changes, ...percents },
    proof: { status: 'feasible', boundHours: makespanHours / 3, gap: 2 / 3 },
    elapsedMs: 12.5,
    problems: [{ severity: 'warning', code: 'duplicate_lot', message: 'twice', row: 3 }],
  }
}

/** The end of a run that found a plan. */
export function completed(makespanHours: number, seconds: number = 100): RunEnd {
  return { status: 'completed', result: resultOf(makespanHours), at: at(seconds) }
}

/** The end of a run that found none. */
export function failed(code: string, seconds: number = 100): RunEnd {
  return { status: 'failed', error: { code, message: `it was ${code}` }, at: at(seconds) }
}

/** The end of a run that was not wanted any more. */
export function cancelled(seconds: number = 100): RunEnd {
  return { status: 'cancelled', at: at(seconds) }
}

/** Takes up to `limit` runs for a minute, at the second `now`. */
export function claim(store: Store, runner: string, limit: number = 10, now: number = 10): Promise<readonly Run[]> {
  return store.runs.claim({ runner, now: at(now), leaseUntil: at(now + 60), limit })
}
