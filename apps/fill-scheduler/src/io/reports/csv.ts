import type { Activity } from '../../planning/plan.js'
import type { Settings } from '../../planning/settings.js'
import { planTime, type PlanTime } from '../plan-time.js'
import { lengthHours, linesOf } from './activity-kinds.js'
import { csvText, textCell } from './csv-text.js'
import type { Report } from './report.js'

const COLUMNS = ['Start', 'End', 'Hours', 'Activity', 'Lot ID', 'Type', 'Note']

/** The plan as CSV, one activity a row: Start, End, Hours (two decimals), Activity, Lot ID, Type, Note, and Line where there are several. */
export function scheduleCsv({ result, settings }: Pick<Report, 'result' | 'settings'>): string {
  return activitiesCsv(result.plan.activities, settings)
}

/** The same of activities alone. */
export function activitiesCsv(activities: readonly Activity[], settings: Settings): string {
  const time = planTime(settings)
  const withLine = linesOf(activities, settings) > 1
  const heading = withLine ? [...COLUMNS, 'Line'] : COLUMNS
  const rows = activities.map((activity) => {
    const cells = cellsOf(activity, time)
    return withLine ? [...cells, String(activity.line)] : cells
  })
  return csvText([heading, ...rows])
}

function cellsOf(activity: Activity, time: PlanTime): string[] {
  return [
    textCell(time.text(activity.startHours)),
    textCell(time.text(activity.endHours)),
    lengthHours(activity).toFixed(2),
    activity.kind,
    ...[activity.lotId, activity.lotType, activity.note].map((text) => textCell(text ?? '')),
  ]
}
