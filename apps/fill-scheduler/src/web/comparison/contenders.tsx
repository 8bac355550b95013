import type { ReactElement } from 'react'
import type { Comparison, ContenderResult } from '../api/answers.js'
import { MiniRun } from '../run/mini-run.js'
import { StatusBadge } from '../shell/status-badge.js'
import { STRATEGY_TITLES, isOpen } from '../wording/names.js'
import { count, difference, hours, percent } from '../wording/numbers.js'

/** What each strategy came to, and how far that is from the given order; a bar while it runs. */
export function Contenders({ comparison }: { readonly comparison: Comparison }): ReactElement {
  const given = comparison.results.find(({ strategy }) => strategy === 'given')
  return (
    <table className="cards contenders">
      <thead>
        <tr>
          <th scope="col">Strategy</th>
          <th scope="col">Status</th>
          <th scope="col" className="number">
            Makespan
          </th>
          <th scope="col" className="number">
            Cleaning
          </th>
          <th scope="col" className="number">
            Changeover
          </th>
          <th scope="col" className="number">
            Blocks
          </th>
          <th scope="col" className="number">
            Utilisation
          </th>
          <th scope="col" className="number">
            Took
          </th>
        </tr>
      </thead>
      <tbody>
        {comparison.results.map((result) => (
          <Row key={result.strategy} comparison={comparison} result={result} given={given} />
        ))}
      </tbody>
    </table>
  )
}

interface RowProps {
  readonly comparison: Comparison
  readonly result: ContenderResult
  readonly given: ContenderResult | undefined
}

function Row({ comparison, result, given }: RowProps): ReactElement {
  const { strategy, status, error, kpis } = result
  const title = STRATEGY_TITLES[strategy] ?? strategy
  const isBest = comparison.best_strategy === strategy && status === 'completed'
  const baseline = strategy === 'given' ? undefined : given
  const kpi = (
    name: keyof NonNullable<ContenderResult['kpis']>,
    of: ContenderResult | undefined = result,
  ): number | undefined => (of?.kpis ? Number(of.kpis[name]) : undefined)
  return (
    <tr data-best={isBest}>
      <th scope="row">
        {title}
        {isBest && <span className="tag good">{isOpen(comparison.status) ? 'best so far' : 'best'}</span>}
      </th>
      <td data-label="Status">
        {isOpen(status) ? (
          <MiniRun id={`${comparison.id}.${strategy}`} label={title} />
        ) : (
          <StatusBadge status={status} />
        )}
        {error && <small className="muted">{error.message}</small>}
      </td>
      <Figure name="Makespan" text={hours(result.makespan)} value={result.makespan} given={baseline?.makespan} />
      <Figure
        name="Cleaning"
        text={hours(kpi('Total Clean (h)'))}
        value={kpi('Total Clean (h)')}
        given={baseline && kpi('Total Clean (h)', baseline)}
      />
      <Figure
        name="Changeover"
        text={hours(kpi('Total Changeover (h)'))}
        value={kpi('Total Changeover (h)')}
        given={baseline && kpi('Total Changeover (h)', baseline)}
      />
      <td data-label="Blocks" className="number" data-none={!kpis}>
        {kpis ? count(Number(kpis['Clean Blocks'])) : '–'}
      </td>
      <td data-label="Utilisation" className="number" data-none={result.utilization == null}>
        {percent(result.utilization)}
      </td>
      <td data-label="Took" className="number" data-none={result.execution_time == null}>
        {result.execution_time == null ? '–' : `${result.execution_time.toFixed(2)} s`}
      </td>
    </tr>
  )
}

function Figure(props: {
  readonly name: string
  readonly text: string
  readonly value: number | null | undefined
  readonly given: number | null | undefined
}): ReactElement {
  const { name, text, value, given } = props
  const delta = value != null && given != null ? value - given : undefined
  return (
    <td data-label={name} className="number" data-none={value == null}>
      {text}
      {delta !== undefined && (
        <small className="delta" data-sign={Math.abs(delta) < 0.05 ? 'same' : delta < 0 ? 'less' : 'more'}>
          {difference(delta)}
        </small>
      )}
    </td>
  )
}
