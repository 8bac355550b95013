import { planTime } from '../plan-time.js'
import { ganttFigures } from './gantt-svg.js'
import { htmlPage } from './html-page.js'
import { figures, problemLists, scheduleTable } from './html-sections.js'
import { markup } from './markup.js'
import type { Report } from './report.js'
import { proofText } from './txt.js'

/** The plan as one page that needs nothing else: figures, Gantt chart, problems, every activity. No script; what users wrote is text. */
export function scheduleHtml(report: Report): string {
  const { name, settings, lots, result, problems } = report
  return htmlPage(
    name,
    markup`<header><h1>${name}</h1>
<p class="facts">${factsOf(report)}</p></header>
<main>
<h2>Summary</h2>
${figures(result)}
<h2>Gantt chart</h2>
${ganttFigures(result.plan.activities, settings)}
<h2>Validation</h2>
${problemLists(problems)}
<h2>Schedule</h2>
${scheduleTable(result, lots, settings)}
</main>`,
    report.generatedAt,
  )
}

/** `2025-01-01 08:00 to 2025-01-22 01:09 (UTC), exact, improved mode, proof: optimal`. */
export function factsOf({ settings, result }: Pick<Report, 'settings' | 'result'>): string {
  const time = planTime(settings)
  const { activities } = result.plan
  const begin = activities.reduce((least, { startHours }) => Math.min(least, startHours), 0)
  const end = activities.reduce((most, { endHours }) => Math.max(most, endHours), begin)
  const proof = result.proof === undefined ? '' : `, proof: ${proofText(result)}`
  return `${time.text(begin)} to ${time.text(end)} (${settings.timeZone}), ${result.strategy}, ${result.mode} mode${proof}`
}
