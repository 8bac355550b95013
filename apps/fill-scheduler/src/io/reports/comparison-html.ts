import { compareRuns, type ComparisonRow, type RunComparison } from '../../planning/compare.js'
import type { Settings } from '../../planning/settings.js'
import type { ComparisonReport, ComparisonRun, LeftOut } from './comparison-report.js'
import { KPI_NAMES, runTitle } from './figures.js'
import { ganttFigures } from './gantt-svg.js'
import { htmlPage } from './html-page.js'
import { problemLists, scheduleTable } from './html-sections.js'
import { type Markup, markup } from './markup.js'

/** The comparison as one page that needs nothing else: figures of all runs, what each strategy saves, and every plan to unfold. */
export function comparisonHtml(report: ComparisonReport): string {
  const { name, runs, lots, generatedAt, leftOut = [] } = report
  const comparison = compareRuns(runs)
  return htmlPage(
    name,
    markup`<header><h1>${name}</h1>
<p class="facts">${lots.length} lots, ${comparison.rows.length} runs. ${verdict(comparison)}</p></header>
<main>
<h2>Figures of all runs</h2>
${figuresTable(comparison)}
${leftOut.length === 0 ? undefined : leftOutList(leftOut)}<h2>Against the order given</h2>
${comparison.rows.flatMap((row) => deltaTable(row, comparison.rows) ?? [])}
<h2>Schedules</h2>
${comparison.rows.map((row) => schedule(row, report))}
</main>`,
    generatedAt,
  )
}

/** The best is not always the one with the least makespan: utilisation and changeovers count, too. */
function verdict({ best, rows }: RunComparison): string {
  const hoursOf = (strategy: ComparisonRow['strategy'] | undefined): number | undefined =>
    rows.find((row) => row.strategy === strategy)?.statistics?.makespanHours
  const [hours, givenHours] = [hoursOf(best), hoursOf('given')]
  if (best === undefined || hours === undefined) return 'No strategy came to a plan.'
  const facts = [`makespan ${hours.toFixed(2)} h`, ...(givenHours === undefined ? [] : [against(givenHours, hours)])]
  return `Best strategy: ${best} (${facts.join(', ')}).`
}

function against(givenHours: number, hours: number): string {
  const percent = ((givenHours - hours) / givenHours) * 100
  return `${Math.abs(percent).toFixed(1)} % ${percent < 0 ? 'more' : 'less'} than the order given`
}

function figuresTable({ rows, best }: RunComparison): Markup {
  return markup`<div class="wide"><table>
<thead><tr><th>Run</th>${KPI_NAMES.map((name) => markup`<th class="number">${name}</th>`)}<th class="number">Utilisation</th></tr></thead>
<tbody>${rows.map(
    ({ strategy, kpis, statistics }) => markup`
<tr${strategy === best ? markup` class="best"` : undefined}><th scope="row">${runTitle(strategy)}${strategy === best ? ' (best)' : ''}</th>${KPI_NAMES.map(
      (name) => markup`<td class="number">${kpis?.[name] ?? '–'}</td>`,
    )}<td class="number">${statistics === undefined ? '–' : `${statistics.utilisationPercent.toFixed(1)} %`}</td></tr>`,
  )}
</tbody></table></div>`
}

function leftOutList(leftOut: readonly LeftOut[]): Markup {
  return markup`<h3>Left out</h3>
<ul class="problems warning">${leftOut.map(({ strategy, message }) => markup`<li>${strategy}: ${message}</li>`)}</ul>
`
}

function deltaTable({ strategy, kpis, deltas }: ComparisonRow, rows: readonly ComparisonRow[]): Markup | undefined {
  const given = rows.find((row) => row.strategy === 'given')?.kpis
  if (strategy === 'given' || kpis === undefined || given === undefined) return undefined
  return markup`<h3>${runTitle(strategy)}</h3>
<div class="wide"><table>
<thead><tr><th>Figure</th><th class="number">Given</th><th class="number">${strategy}</th><th class="number">Difference</th></tr></thead>
<tbody>${KPI_NAMES.map(
    (name) => markup`
<tr><th scope="row">${name}</th><td class="number">${given[name]}</td><td class="number">${kpis[name]}</td>${deltaCell(deltas?.[name])}</tr>`,
  )}
</tbody></table></div>
`
}

function deltaCell(delta: string | undefined): Markup {
  if (delta === undefined) return markup`<td></td>`
  const value = Number(delta)
  const look = value === 0 ? '' : value < 0 ? ' less' : ' more'
  return markup`<td class="number${look}">${value > 0 ? `+${delta}` : delta}</td>`
}

function schedule({ strategy }: ComparisonRow, { runs, lots, settings }: ComparisonReport): Markup {
  const run = runs.find((other) => other.strategy === strategy)
  const open = strategy === 'given' ? markup` open` : undefined
  return markup`<details${open}><summary>${runTitle(strategy)}</summary>
${run?.result === undefined ? failure(run) : plan(run.result, lots, settings)}
</details>
`
}

function failure(run: ComparisonRun | undefined): Markup {
  return markup`<p class="error">${run?.error?.message ?? 'There is no plan.'}</p>`
}

function plan(
  result: NonNullable<ComparisonRun['result']>,
  lots: ComparisonReport['lots'],
  settings: Settings,
): Markup {
  return markup`${ganttFigures(result.plan.activities, settings)}
${result.problems.length === 0 ? undefined : problemLists(result.problems)}
${scheduleTable(result, lots, settings)}`
}
