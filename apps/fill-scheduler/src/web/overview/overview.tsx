import type { ReactElement } from 'react'
import type { Counts, ScheduleSummary } from '../api/answers.js'
import { count, hours, percent } from '../wording/numbers.js'

/** How things stand, at a glance. Nothing before the first schedule. */
export function Overview(props: {
  readonly counts: Counts | undefined
  readonly newest: ScheduleSummary | undefined
}): ReactElement | null {
  const { counts, newest } = props
  if (!counts || counts.total === 0) return null
  const { pending = 0, running = 0, completed = 0, failed = 0 } = counts.by_status
  const tiles = [
    ['Under way', count(pending + running), pending > 0 ? `${count(pending)} waiting` : ''],
    ['Completed', count(completed), `of ${count(counts.total)}`],
    ['Failed', count(failed), ''],
    ['Latest makespan', hours(newest?.makespan), newest?.name ?? ''],
    ['Latest utilisation', percent(newest?.utilization), newest?.name ?? ''],
  ] as const
  return (
    <dl className="tiles" aria-label="At a glance">
      {tiles.map(([name, value, note]) => (
        <div key={name} className="tile">
          <dt>{name}</dt>
          <dd>{value}</dd>
          <p className="muted" title={note}>
            {note}
          </p>
        </div>
      ))}
    </dl>
  )
}
