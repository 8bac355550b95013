import type { Activity } from '../../planning/plan.js'
import type { Settings } from '../../planning/settings.js'
import { planTime, type PlanTime } from '../plan-time.js'
import { KIND_LOOKS, lengthHours } from './activity-kinds.js'
import { type GanttBar, type GanttChart, ganttChart, type GanttRow } from './gantt.js'
import { type Markup, markup, trusted } from './markup.js'

const WIDTH = 1_000
const MARKS_HEIGHT = 15
const BAR_HEIGHT = 30
const LANE_HEIGHT = 34
/** Room for the names of lines, where there are several. */
const LANE_NAMES = 46
/** How wide a character is, about, of the first and of the second line in a bar. */
const CHARACTERS = [6.9, 5.6]
const TEXT_PADDING = 5

/** The Gantt chart of a plan as pictures in the page, one for each row, with a key. Every bar says in its tooltip what it is. */
export function ganttFigures(activities: readonly Activity[], settings: Settings): Markup {
  const chart = ganttChart(activities, settings)
  const time = planTime(settings)
  const kinds = [...new Set(activities.map(({ kind }) => kind))]
  return markup`<ul class="key-list">${kinds.map(
    (kind) => markup`<li><span class="key ${kind.toLowerCase()}"></span>${KIND_LOOKS[kind].label}</li>`,
  )}${activities.some(({ frozen }) => frozen) ? markup`<li>Faded: begun already</li>` : undefined}</ul>
<div class="wide gantt">${chart.rows.map((row) => figure(row, chart, time))}</div>`
}

function figure(row: GanttRow, { lines }: GanttChart, time: PlanTime): Markup {
  const left = lines > 1 ? LANE_NAMES : 0
  const x = (place: number): number => left + place * (WIDTH - left)
  const height = MARKS_HEIGHT + lines * LANE_HEIGHT
  const lanes = Array.from({ length: lines }, (_, at) => at + 1)
  return markup`
<figure><figcaption>${row.label}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Gantt chart, ${row.label}">
${lanes.map((line) => laneGround(line, left, lines > 1))}${row.marks.map(
    (mark) =>
      markup`<g class="mark"><line x1="${short(x(mark.at))}" x2="${short(x(mark.at))}" y1="2" y2="${height}"/><text x="${short(x(mark.at) + 3)}" y="10">${mark.label}</text></g>`,
  )}
${row.bars.map((bar) => barOf(bar, x, time))}
</svg></figure>`
}

function laneGround(line: number, left: number, named: boolean): Markup {
  const y = laneTop(line)
  const ground = markup`<rect class="ground" x="${left}" y="${y}" width="${WIDTH - left}" height="${BAR_HEIGHT}"/>`
  return named ? markup`${ground}<text class="lane" x="0" y="${y + 19}">Line ${line}</text>` : ground
}

function barOf({ activity, from, to }: GanttBar, x: (place: number) => number, time: PlanTime): Markup {
  const y = laneTop(activity.line)
  const width = Math.max(0.8, x(to) - x(from))
  const names = textsOf(activity).map((text, at) => fitted(text, (width - TEXT_PADDING) / (CHARACTERS[at] ?? 1)))
  const lines = names.filter((text) => text !== '')
  const baseline = lines.length > 1 ? 13 : 18.5
  const classes = `bar ${activity.kind.toLowerCase()}${activity.frozen ? ' frozen' : ''}`
  // A picture of its own for each bar: no text reaches beyond it.
  return markup`<svg class="${classes}" x="${short(x(from))}" y="${y}" width="${short(width)}" height="${BAR_HEIGHT}"><title>${tooltip(activity, time)}</title><rect width="100%" height="100%"/>${lines.map(
    (text, at) => markup`<text x="4" y="${baseline + at * 11}">${text}</text>`,
  )}</svg>
`
}

function laneTop(line: number): number {
  return MARKS_HEIGHT + (line - 1) * LANE_HEIGHT
}

function textsOf({ kind, lotId, lotType }: Activity): string[] {
  if (kind === 'FILL') return [lotId ?? '', lotType ?? '']
  return kind === 'CHANGEOVER' ? [] : [KIND_LOOKS[kind].label]
}

/** As much of a text as is seen in a bar; nothing where that would be less than two characters. */
function fitted(text: string, room: number): string {
  const characters = [...text]
  if (characters.length <= room) return text
  return room < 3 ? '' : `${characters.slice(0, Math.floor(room) - 1).join('')}…`
}

function tooltip(activity: Activity, time: PlanTime): string {
  const what = [KIND_LOOKS[activity.kind].label, activity.lotId, activity.lotType, activity.note]
  const when = `${time.text(activity.startHours)} to ${time.text(activity.endHours)} (${lengthHours(activity).toFixed(2)} h)`
  return [...what.filter((part) => part !== undefined), when, ...(activity.frozen ? ['begun already'] : [])].join(', ')
}

/** Numbers of a picture need no more digits than can be seen. */
function short(value: number): Markup {
  return trusted(String(Math.round(value * 100) / 100))
}
