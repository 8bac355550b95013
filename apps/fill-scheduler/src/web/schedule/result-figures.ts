import type { ScheduleResult } from '../api/answers.js'
import { counted, fixed, hours, percent } from '../wording/numbers.js'

/** A figure of a plan: its name, its value, and what helps to read it. */
type Figure = readonly [name: string, value: string, note: string]

/** The figures of a plan as texts; what is not in it is left out. */
export function resultFigures({ makespan, utilization, changeovers, kpis, ...result }: ScheduleResult): Figure[] {
  const { closedHours = 0, lateLots = 0, lateHours } = result.statistics ?? {}
  const figures: Figure[] = [
    ['Makespan', hours(makespan), `${fixed(makespan / 24, 1)} days`],
    ['Utilisation', percent(utilization), 'of the line hours'],
    ['Filling', hours(Number(kpis['Total Fill (h)'])), counted(result.lots_scheduled, 'lot')],
    ['Cleaning', hours(Number(kpis['Total Clean (h)'])), counted(Number(kpis['Clean Blocks']), 'clean window')],
    ['Changeovers', hours(Number(kpis['Total Changeover (h)'])), counted(changeovers, 'time')],
  ]
  if (closedHours > 0) figures.push(['Closed', hours(closedHours), 'no working time'])
  if (lateLots > 0) figures.push(['Late', counted(lateLots, 'lot'), `${hours(lateHours)} in all`])
  return figures
}
