import type { CellObject } from 'write-excel-file/node'
import type { Activity } from '../../planning/plan.js'
import type { Settings } from '../../planning/settings.js'
import type { PlanningResult } from '../../planning/strategy.js'
import { planTime } from '../plan-time.js'
import { KIND_LOOKS, lengthHours, linesOf } from './activity-kinds.js'
import type { Report } from './report.js'
import { settingRows } from './setting-rows.js'
import { problemText, proofText } from './txt.js'
import { wallDate } from './wall-clock.js'
import {
  badgeOf,
  dateOf,
  headingCell,
  numberOf,
  textOf,
  workbook,
  workbookDateFormat,
  type Worksheet,
} from './workbook.js'

/** The plan as a workbook: Summary, Activities, Configuration. Numbers are numbers and times are dates, in the plan’s own time zone. */
export function scheduleXlsx(report: Report): Promise<Uint8Array> {
  const { result, settings } = report
  return workbook([
    summarySheet(report),
    activitiesSheet('Activities', result.plan.activities, settings),
    configurationSheet(settings),
  ])
}

type Row = readonly (CellObject | undefined)[]

function summarySheet({ name, settings, result, problems, generatedAt }: Report): Worksheet {
  const rows: Row[] = [
    [headingCell('Figure'), headingCell('Value', 'right')],
    ...kpiRows(result),
    [textOf('Utilisation (%)'), numberOf(result.statistics.utilisationPercent, 1)],
    [textOf('Late lots'), numberOf(result.statistics.lateLots)],
    [],
    [textOf('Name'), textOf(name)],
    [textOf('Strategy'), textOf(`${result.strategy} (${result.mode})`)],
    [textOf('Proof'), textOf(proofText(result))],
    [textOf('Time zone'), textOf(settings.timeZone)],
    [textOf('Generated (UTC)'), dateOf(generatedAt, 'yyyy-mm-dd hh:mm')],
    ...problems.map((problem): Row => [
      textOf(problem.severity === 'error' ? 'Error' : 'Warning'),
      textOf(problemText(problem)),
    ]),
  ]
  return { name: 'Summary', widths: [22, 48], rows }
}

/** The six figures, as numbers. */
function kpiRows({ kpis }: Pick<PlanningResult, 'kpis'>): Row[] {
  return Object.entries(kpis).map(([name, value]) => [
    textOf(name),
    numberOf(Number(value), name.endsWith('(h)') ? 2 : 0),
  ])
}

/** One activity a row. */
export function activitiesSheet(name: string, activities: readonly Activity[], settings: Settings): Worksheet {
  const withLine = linesOf(activities, settings) > 1
  const time = planTime(settings)
  const format = workbookDateFormat(settings.report.dateTimeFormat)
  const heading = ['Start', 'End', 'Hours', 'Activity', 'Lot ID', 'Type', 'Note', ...(withLine ? ['Line'] : [])]
  const rows = activities.map((activity): Row => [
    dateOf(wallDate(activity.startHours, time, settings), format),
    dateOf(wallDate(activity.endHours, time, settings), format),
    numberOf(lengthHours(activity), 2),
    badgeOf(KIND_LOOKS[activity.kind]),
    textOf(activity.lotId),
    textOf(activity.lotType),
    textOf(activity.note),
    ...(withLine ? [numberOf(activity.line)] : []),
  ])
  const headings = heading.map((text) => headingCell(text, text === 'Hours' || text === 'Line' ? 'right' : 'left'))
  return { name, widths: [18, 18, 9, 13, 22, 22, 24, 6], rows: [headings, ...rows] }
}

/** The settings, one a row. */
export function configurationSheet(settings: Settings): Worksheet {
  const rows = settingRows(settings).map(([path, value]): Row => [
    textOf(path),
    typeof value === 'number' ? { type: Number, value } : textOf(String(value)),
  ])
  return { name: 'Configuration', widths: [46, 30], rows: [[headingCell('Setting'), headingCell('Value')], ...rows] }
}
