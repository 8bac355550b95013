import type { ReactElement } from 'react'
import type { ScheduleSummary } from '../api/answers.js'
import { Link } from '../navigation/link.js'
import { MiniRun } from '../run/mini-run.js'
import { ACTIONS, Cell, Headings } from '../shell/columns.js'
import { StatusBadge } from '../shell/status-badge.js'
import { moment } from '../wording/moments.js'
import { STRATEGY_TITLES, isOpen } from '../wording/names.js'
import { count, hours, percent } from '../wording/numbers.js'

const COLUMNS = {
  name: { title: 'Name' },
  status: { title: 'Status' },
  strategy: { title: 'Strategy' },
  lots: { title: 'Lots', isNumber: true },
  makespan: { title: 'Makespan', isNumber: true },
  utilisation: { title: 'Utilisation', isNumber: true },
  created: { title: 'Created' },
  actions: ACTIONS,
}

/** Schedules, newest first; on a narrow screen each is a card. */
export function SchedulesTable(props: {
  readonly schedules: readonly ScheduleSummary[]
  readonly onDelete: (schedule: ScheduleSummary) => void
}): ReactElement {
  return (
    <table className="cards">
      <Headings of={COLUMNS} />
      <tbody>
        {props.schedules.map((schedule) => (
          <Row key={schedule.id} schedule={schedule} onDelete={props.onDelete} />
        ))}
      </tbody>
    </table>
  )
}

function Row({
  schedule,
  onDelete,
}: {
  readonly schedule: ScheduleSummary
  readonly onDelete: (schedule: ScheduleSummary) => void
}): ReactElement {
  const { id, name, description, status, strategy, mode } = schedule
  return (
    <tr>
      <th scope="row">
        <Link to={{ page: 'schedule', id }}>{name}</Link>
        {description && <small className="muted">{description}</small>}
      </th>
      <Cell of={COLUMNS.status}>
        {isOpen(status) ? <MiniRun id={id} label={name} /> : <StatusBadge status={status} />}
        {schedule.error && <small className="muted">{schedule.error.message}</small>}
      </Cell>
      <Cell of={COLUMNS.strategy}>
        {STRATEGY_TITLES[strategy] ?? strategy}
        {mode === 'classic' && <small className="muted">classic</small>}
      </Cell>
      <Cell of={COLUMNS.lots}>{count(schedule.lots_count)}</Cell>
      <Cell of={COLUMNS.makespan} isNone={schedule.makespan == null}>
        {hours(schedule.makespan)}
      </Cell>
      <Cell of={COLUMNS.utilisation} isNone={schedule.utilization == null}>
        {percent(schedule.utilization)}
      </Cell>
      <Cell of={COLUMNS.created} className="moment">
        {moment(schedule.created_at)}
      </Cell>
      <td className="row-actions">
        <button type="button" className="quiet" aria-label={`Delete ${name}`} onClick={() => onDelete(schedule)}>
          Delete
        </button>
      </td>
    </tr>
  )
}
