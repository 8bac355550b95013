import { type ReactElement, useMemo, useState } from 'react'
import type { PlannedActivity } from '../api/answers.js'
import { planMoment } from '../wording/moments.js'
import { counted, hours, noteWords } from '../wording/numbers.js'

/** More rows are shown when asked for. */
const ROWS_AT_FIRST = 200

const KINDS: Readonly<Record<PlannedActivity['kind'], string>> = {
  CLEAN: 'Cleaning',
  CHANGEOVER: 'Changeover',
  FILL: 'Filling',
  CLOSED: 'Closed',
}

/** Everything that the chart shows, as a table. */
export function ActivitiesTable({
  activities,
  zone,
}: {
  readonly activities: readonly PlannedActivity[]
  readonly zone: string
}): ReactElement {
  const [text, setText] = useState('')
  const [limit, setLimit] = useState(ROWS_AT_FIRST)
  const chosen = useMemo(() => activities.filter((one) => matches(one, text)), [activities, text])
  const hasLines = activities.some(({ line }) => line > 1)
  return (
    <div className="stack">
      <label>
        <span className="visually-hidden">Find in the table</span>
        <input
          type="search"
          placeholder="Find a lot, a type or a kind"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <div className="scroll tall" tabIndex={0} role="region" aria-label="Activities">
        <table className="compact unbroken">
          <thead>
            <tr>
              <th scope="col">Activity</th>
              {hasLines && <th scope="col">Line</th>}
              <th scope="col">Lot</th>
              <th scope="col">Type</th>
              <th scope="col">Start</th>
              <th scope="col">End</th>
              <th scope="col" className="number">
                Hours
              </th>
              <th scope="col">Note</th>
            </tr>
          </thead>
          <tbody>
            {chosen.slice(0, limit).map((one) => (
              <tr key={`${one.line} ${one.start_hours}`} data-kind={one.kind}>
                <td>
                  {KINDS[one.kind]}
                  {one.frozen && <small className="muted"> as it was</small>}
                </td>
                {hasLines && <td>{one.line}</td>}
                <td>{one.lot_id}</td>
                <td>{(one.lot_type ?? '').replace('->', ' → ')}</td>
                <td>{planMoment(one.start, zone)}</td>
                <td>{planMoment(one.end, zone)}</td>
                <td className="number">{hours(one.end_hours - one.start_hours, 2)}</td>
                <td>{noteWords(one.note)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chosen.length === 0 && <p className="muted">Nothing matches “{text}”.</p>}
      {chosen.length > limit && (
        <button type="button" onClick={() => setLimit(limit + 1000)}>
          Show more of {counted(chosen.length, 'row')}
        </button>
      )}
    </div>
  )
}

function matches({ kind, lot_id: lot, lot_type: type, note }: PlannedActivity, text: string): boolean {
  const wanted = text.trim().toLowerCase()
  return wanted === '' || [KINDS[kind], lot, type, note].some((part) => part?.toLowerCase().includes(wanted))
}
