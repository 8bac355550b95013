import { type ReactElement, useMemo, useState } from 'react'
import type { Problem, Schedule, ScheduleResult } from '../api/answers.js'
import { chartOf } from '../gantt/chart-data.js'
import { PlanChart } from '../gantt/plan-chart.js'
import { Notice } from '../shell/notice.js'
import { counted, hours } from '../wording/numbers.js'
import { ActivitiesTable } from './activities-table.js'
import { resultFigures } from './result-figures.js'

/** The hours of a clean window where the settings say nothing else. */
const WINDOW_HOURS = 120
const WARNINGS_UNFOLDED = 3

/** A plan: its figures, how good it is, its chart and its activities. */
export function ResultView({
  schedule,
  result,
}: {
  readonly schedule: Schedule
  readonly result: ScheduleResult
}): ReactElement {
  const data = useMemo(() => chartOf(result.activities), [result])
  const zone = schedule.config.timeZone ?? 'UTC'
  const windowHours = schedule.config.windowHours ?? WINDOW_HOURS
  const dueDates = useMemo(() => dueDatesOf(schedule), [schedule])
  const [isTable, setIsTable] = useState(false)
  return (
    <>
      <Figures result={result} />
      <Quality result={result} />
      <Warnings warnings={result.warnings} />
      <section className="panel" aria-labelledby="plan-title">
        <div className="panel-head">
          <h2 id="plan-title">Plan</h2>
          <div className="segments" role="group" aria-label="Show the plan as">
            <button type="button" aria-pressed={!isTable} onClick={() => setIsTable(false)}>
              Chart
            </button>
            <button type="button" aria-pressed={isTable} onClick={() => setIsTable(true)}>
              Table
            </button>
          </div>
        </div>
        {isTable ? (
          <ActivitiesTable activities={result.activities} zone={zone} />
        ) : (
          <PlanChart
            plans={[{ label: `Plan of ${schedule.name}`, data }]}
            zone={zone}
            windowHours={windowHours}
            dueDates={dueDates}
          />
        )}
      </section>
    </>
  )
}

function Figures({ result }: { readonly result: ScheduleResult }): ReactElement {
  return (
    <dl className="tiles" aria-label="Figures">
      {resultFigures(result).map(([name, value, note]) => (
        <div key={name} className="tile">
          <dt>{name}</dt>
          <dd>{value}</dd>
          <p className="muted">{note}</p>
        </div>
      ))}
    </dl>
  )
}

/** What is known about how good the plan is; strategies without a proof say nothing. */
function Quality({ result }: { readonly result: ScheduleResult }): ReactElement | null {
  const { proof } = result
  if (!proof) return null
  if (proof.status === 'optimal')
    return (
      <Notice tone="good">
        <strong>Proven optimal.</strong> No plan of these lots under these settings is better.
      </Notice>
    )
  return (
    <Notice tone="info">
      <strong>Within {(proof.gap * 100).toFixed(2)} % of the shortest possible.</strong> No plan can be below{' '}
      {hours(proof.bound_hours, 2)}; this one takes {hours(result.makespan, 2)}.
    </Notice>
  )
}

/** Many of them are folded, so that the plan is seen. */
function Warnings({ warnings }: { readonly warnings: readonly (Problem | string)[] }): ReactElement | null {
  if (warnings.length === 0) return null
  const list = (
    <ul>
      {warnings.map((warning, at) => (
        <li key={at}>{typeof warning === 'string' ? warning : warning.message}</li>
      ))}
    </ul>
  )
  if (warnings.length <= WARNINGS_UNFOLDED) return <Notice tone="warn">{list}</Notice>
  return (
    <Notice tone="warn">
      <details>
        <summary>{counted(warnings.length, 'warning')}</summary>
        {list}
      </details>
    </Notice>
  )
}

function dueDatesOf({ lots_data: lots }: Schedule): ReadonlyMap<string, number> {
  const dues = lots.map(({ lot_id: id, due }) => [id, Date.parse(due ?? '')] as const)
  return new Map(dues.filter(([, due]) => !Number.isNaN(due)))
}
