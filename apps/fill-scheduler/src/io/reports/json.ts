import type { Activity } from '../../planning/plan.js'
import { planTime, type PlanTime } from '../plan-time.js'
import { lengthHours } from './activity-kinds.js'
import type { Report } from './report.js'

/** Of the structure of the document, as its readers ask for it. */
const VERSION = '1.0'

/** The plan as a JSON document: what was planned, what came of it, and which form this is. Names as in the REST API. */
export function scheduleJson(report: Report): string {
  return jsonText({
    schedule: scheduleMember(report),
    results: resultMembers(report),
    metadata: metadataMember(report.generatedAt),
  })
}

/** JSON for people and programs: two spaces, and an end of line. */
export function jsonText(document: object): string {
  return `${JSON.stringify(document, undefined, 2)}\n`
}

/** Which program wrote which form of document, and when. */
export function metadataMember(generatedAt: Date): object {
  return {
    api_version: VERSION,
    format_version: VERSION,
    generator: 'fill-scheduler',
    generated_at: generatedAt.toISOString(),
  }
}

function scheduleMember({ name, settings, lots, result }: Report): object {
  const time = planTime(settings)
  return {
    name,
    strategy: result.strategy,
    mode: result.mode,
    start: time.iso(0),
    time_zone: settings.timeZone,
    lots: lots.map((lot) => ({
      lot_id: lot.id,
      lot_type: lot.type,
      vials: lot.vials,
      fill_hours: lot.fillHours,
      ...(lot.dueHours === undefined ? {} : { due: time.iso(lot.dueHours) }),
      ...(lot.priority === undefined ? {} : { priority: lot.priority }),
    })),
    config: settings,
  }
}

/** What planning came to, in the words of the REST API. */
export function resultMembers({ settings, result, problems }: Omit<Report, 'name' | 'lots' | 'generatedAt'>): object {
  const { statistics } = result
  const time = planTime(settings)
  return {
    makespan: statistics.makespanHours,
    utilization: statistics.utilisationPercent,
    changeovers: statistics.changeovers,
    lots_scheduled: statistics.lots,
    window_violations: statistics.windowViolations,
    execution_time: result.elapsedMs / 1_000,
    kpis: result.kpis,
    statistics,
    proof: result.proof ?? null,
    errors: problems.filter(({ severity }) => severity === 'error'),
    warnings: problems.filter(({ severity }) => severity === 'warning'),
    activities: result.plan.activities.map((activity) => activityMember(activity, time)),
  }
}

function activityMember(activity: Activity, time: PlanTime): object {
  return {
    start: time.iso(activity.startHours),
    end: time.iso(activity.endHours),
    start_hours: activity.startHours,
    end_hours: activity.endHours,
    hours: lengthHours(activity),
    kind: activity.kind,
    line: activity.line,
    lot_id: activity.lotId ?? null,
    lot_type: activity.lotType ?? null,
    note: activity.note ?? null,
    frozen: activity.frozen ?? false,
  }
}
