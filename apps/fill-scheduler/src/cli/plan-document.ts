import { planTime } from '../io/plan-time.js'
import type { Settings } from '../planning/settings.js'
import type { PlanningResult } from '../planning/strategy.js'
import type { Problem } from '../problem.js'

/** A plan as `--json` prints it. Times are ISO 8601 with offset; `startHours` and `endHours` count from the start of the plan. */
export function planDocument(result: PlanningResult, problems: readonly Problem[], settings: Settings): object {
  const time = planTime(settings)
  return {
    makespanHours: result.plan.makespanHours,
    kpis: result.kpis,
    strategy: result.strategy,
    mode: result.mode,
    proof: result.proof ?? null,
    statistics: result.statistics,
    warnings: problems.filter(({ severity }) => severity === 'warning'),
    elapsedMs: result.elapsedMs,
    activities: result.plan.activities.map((activity) => ({
      start: time.iso(activity.startHours),
      end: time.iso(activity.endHours),
      kind: activity.kind,
      lotId: activity.lotId ?? null,
      lotType: activity.lotType ?? null,
      note: activity.note ?? null,
      line: activity.line,
      hours: activity.endHours - activity.startHours,
      startHours: activity.startHours,
      endHours: activity.endHours,
      ...(activity.frozen ? { frozen: true } : {}),
    })),
  }
}
