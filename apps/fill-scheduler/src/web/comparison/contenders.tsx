import type { ReactElement } from 'react'
import type { Comparison, ContenderResult } from '../api/answers.js'
import { MiniRun } from '../run/mini-run.js'
import { Cell, type Column, Headings } from '../shell/columns.js'
import { StatusBadge } from '../shell/status-badge.js'
import { STRATEGY_TITLES, isOpen } from '../wording/names.js'
import { count, difference, hours, percent } from '../wording/numbers.js'

const COLUMNS = {
  strategy: { title: 'Strategy' },
  status: { title: 'Status' },
  makespan: { title: 'Makespan', isNumber: true },
  cleaning: { title: 'Cleaning', isNumber: true },
  changeover: { title: 'Changeover', isNumber: true },
  blocks: { title: 'Blocks', isNumber: true },
  utilisation: { title: 'Utilisation', isNumber: true },
  took: { title: 'Took', isNumber: true },
}

/** What each strategy came to, and how far that is from the given order; a bar while it runs. */
export function Contenders({ comparison }: { readonly comparison: Comparison }): ReactElement {
  const given = comparison.results.find(({ strategy }) => strategy === 'given')
  return (
    <table className="cards contenders">
      <Headings of={COLUMNS} />
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
      <Cell of={COLUMNS.status}>
        {isOpen(status) ? (
          <MiniRun id={`${comparison.id}.${strategy}`} label={title} />
        ) : (
          <StatusBadge status={status} />
        )}
        {error && <small className="muted">{error.message}</small>}
      </Cell>
      <Figure
        column={COLUMNS.makespan}
        text={hours(result.makespan)}
        value={result.makespan}
        given={baseline?.makespan}
      />
      <Figure
        column={COLUMNS.cleaning}
        text={hours(kpi('Total Clean (h)'))}
        value={kpi('Total Clean (h)')}
        given={baseline && kpi('Total Clean (h)', baseline)}
      />
      <Figure
        column={COLUMNS.changeover}
        text={hours(kpi('Total Changeover (h)'))}
        value={kpi('Total Changeover (h)')}
        given={baseline && kpi('Total Changeover (h)', baseline)}
      />
      <Cell of={COLUMNS.blocks} isNone={!kpis}>
        {kpis ? count(Number(kpis['Clean Blocks'])) : '–'}
      </Cell>
      <Cell of={COLUMNS.utilisation} isNone={result.utilization == null}>
        {percent(result.utilization)}
      </Cell>
      <Cell of={COLUMNS.took} isNone={result.execution_time == null}>
        {result.execution_time == null ? '–' : `${result.execution_time.toFixed(2)} s`}
      </Cell>
    </tr>
  )
}

function Figure(props: {
  readonly column: Column
  readonly text: string
  readonly value: number | null | undefined
  readonly given: number | null | undefined
}): ReactElement {
  const { column, text, value, given } = props
  const delta = value != null && given != null ? value - given : undefined
  return (
    <Cell of={column} isNone={value == null}>
      {text}
      {delta !== undefined && (
        <small className="delta" data-sign={Math.abs(delta) < 0.05 ? 'same' : delta < 0 ? 'less' : 'more'}>
          {difference(delta)}
        </small>
      )}
    </Cell>
  )
}
