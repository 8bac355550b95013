import type { ReactElement } from 'react'
import type { ScheduleSummary } from '../api/answers.js'
import { Link } from '../navigation/link.js'
import { MiniRun } from '../run/mini-run.js'
import { StatusBadge } from '../shell/status-badge.js'
import { moment } from '../wording/moments.js'
import { STRATEGY_TITLES, isOpen } from '../wording/names.js'
import { count, hours, percent } from '../wording/numbers.js'

/** Schedules, newest first; on a narrow screen each is a card. */
export function SchedulesTable(props: {
  readonly schedules: readonly ScheduleSummary[]
  readonly onDelete: (schedule: ScheduleSummary) => void
}): ReactElement {
  return (
    <table className="cards">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Status</th>
          <th scope="col">Strategy</th>
          <th scope="col" className="number">
            Lots
          </th>
          <th scope="col" className="number">
            Makespan
          </th>
          <th scope="col" className="number">
            Utilisation
          </th>
          <th scope="col">Created</th>
          <th scope="col">
            <span className="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
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
      <td data-label="Status">
        {isOpen(status) ? <MiniRun id={id} label={name} /> : <StatusBadge status={status} />}
        {schedule.error && <small className="muted">{schedule.error.message}</small>}
      </td>
      <td data-label="Strategy">
        {STRATEGY_TITLES[strategy] ?? strategy}
        {mode === 'classic' && <small className="muted">classic</small>}
      </td>
      <td data-label="Lots" className="number">
        {count(schedule.lots_count)}
      </td>
      <td data-label="Makespan" className="number" data-none={schedule.makespan == null}>
        {hours(schedule.makespan)}
      </td>
      <td data-label="Utilisation" className="number" data-none={schedule.utilization == null}>
        {percent(schedule.utilization)}
      </td>
      <td data-label="Created" className="moment">
        {moment(schedule.created_at)}
      </td>
      <td className="row-actions">
        <button type="button" className="quiet" aria-label={`Delete ${name}`} onClick={() => onDelete(schedule)}>
          Delete
        </button>
      </td>
    </tr>
  )
}
