import type { Activity } from '../../planning/plan.js'
import type { Lot } from '../../planning/lot.js'
import { lateLots } from '../../planning/objective.js'
import type { Settings } from '../../planning/settings.js'
import type { PlanningResult } from '../../planning/strategy.js'
import type { Problem } from '../../problem.js'
import { planTime, type PlanTime } from '../plan-time.js'
import { KIND_LOOKS, lengthHours, linesOf } from './activity-kinds.js'
import { type Block, blocksOf } from './blocks.js'
import { type Markup, markup } from './markup.js'
import { figuresOf } from './figures.js'
import { problemText } from './txt.js'

/** The six figures, and those that say how good the plan is. */
export function figures(result: PlanningResult): Markup {
  return markup`<dl class="figures">${figuresOf(result).map(
    ([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`
}

/** Errors and warnings, also where there are none. */
export function problemLists(problems: readonly Problem[]): Markup {
  return markup`<h3>Errors</h3>
${problemList(problems, 'error', 'No errors.')}
<h3>Warnings</h3>
${problemList(problems, 'warning', 'No warnings.')}`
}

function problemList(problems: readonly Problem[], severity: Problem['severity'], none: string): Markup {
  const those = problems.filter((problem) => problem.severity === severity)
  if (those.length === 0) return markup`<p>${none}</p>`
  return markup`<ul class="problems ${severity}">${those.map(
    (problem) => markup`<li>${problemText(problem)}</li>`,
  )}</ul>`
}

/** Every activity, block by block. */
export function scheduleTable(result: PlanningResult, lots: readonly Lot[], settings: Settings): Markup {
  const { activities } = result.plan
  const withLine = linesOf(activities, settings) > 1
  const time = planTime(settings)
  const lateHours = new Map(lateLots(result.plan, lots).map(({ lot, hours }) => [lot.id, hours]))
  const row = (activity: Activity): Markup => activityRow(activity, time, withLine, lateHours.get(activity.lotId ?? ''))
  return markup`<table class="schedule">
<thead><tr><th>Start</th><th>End</th><th class="number">Hours</th><th>Activity</th><th>Lot ID</th><th>Type</th><th>Note</th>${withLine ? markup`<th>Line</th>` : undefined}</tr></thead>
${blocksOf(activities).map(
  (block) => markup`<tbody>
<tr class="block"><th colspan="${withLine ? 8 : 7}">${blockTitle(block, withLine, settings)}</th></tr>
${block.activities.map(row)}</tbody>
`,
)}</table>`
}

/** `Block 2 on line 1: 4 lots, 118.36 of 120 h of the window used`. */
export function blockTitle(block: Block, withLine: boolean, { windowHours }: Settings): string {
  const name = `Block ${block.number}${withLine ? ` on line ${block.line}` : ''}`
  const lots = `${block.lots} ${block.lots === 1 ? 'lot' : 'lots'}`
  return `${name}: ${lots}, ${block.usedHours.toFixed(2)} of ${windowHours} h of the window used`
}

function activityRow(activity: Activity, time: PlanTime, withLine: boolean, lateHours: number | undefined): Markup {
  const { kind, lotId, lotType, note, line, startHours, endHours } = activity
  return markup`<tr><td class="time start">${time.text(startHours)}</td><td class="time end">${time.text(endHours)}</td><td class="number hours">${lengthHours(activity).toFixed(2)}</td><td class="kind"><span class="badge ${kind.toLowerCase()}">${KIND_LOOKS[kind].label}</span></td><td class="lot">${named(lotId)}</td><td class="type">${named(lotType)}</td><td class="note">${note ?? ''}${lateness(lateHours)}</td>${withLine ? markup`<td class="line">${line}</td>` : undefined}</tr>
`
}

/** Names of users, in a direction of their own. */
function named(text: string | undefined): Markup | undefined {
  return text === undefined ? undefined : markup`<bdi>${text}</bdi>`
}

function lateness(hours: number | undefined): Markup | undefined {
  return hours === undefined ? undefined : markup` <span class="late">${hours.toFixed(1)} h late</span>`
}
