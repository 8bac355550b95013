import { type ReactElement, useMemo, useState } from 'react'
import type { Problem, Verdict } from '../api/answers.js'
import { counted } from '../wording/numbers.js'
import { type CsvRow, csvRows } from './csv-rows.js'

/** More rows are shown when asked for. */
const ROWS_AT_FIRST = 100

/** The rows of a file with what the check says of each; those that are wrong come first when there are many. */
export function LotsTable({
  csv,
  verdict,
}: {
  readonly csv: string
  readonly verdict: Verdict | undefined
}): ReactElement {
  const { heading, rows } = useMemo(() => csvRows(csv), [csv])
  const problems = useMemo(() => byRow(verdict), [verdict])
  const [isWrongOnly, setIsWrongOnly] = useState(false)
  const [limit, setLimit] = useState(ROWS_AT_FIRST)
  const hasWrong = rows.some(({ row }) => problems.has(row))
  const chosen = isWrongOnly && hasWrong ? rows.filter(({ row }) => problems.has(row)) : rows
  return (
    <div className="lots">
      {hasWrong && (
        <label className="check">
          <input type="checkbox" checked={isWrongOnly} onChange={(event) => setIsWrongOnly(event.target.checked)} />
          Only rows with something to mend
        </label>
      )}
      <div className="scroll" tabIndex={0} role="region" aria-label="Lots of the file">
        <table className="compact">
          <thead>
            <tr>
              <th scope="col">Row</th>
              {heading.map((name, at) => (
                <th scope="col" key={at}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          {chosen.slice(0, limit).map((row) => (
            <Row key={row.row} row={row} columns={heading} problems={problems.get(row.row) ?? []} />
          ))}
        </table>
      </div>
      {chosen.length > limit && (
        <button type="button" onClick={() => setLimit(limit + 500)}>
          Show more of {counted(chosen.length, 'row')}
        </button>
      )}
    </div>
  )
}

function Row(props: {
  readonly row: CsvRow
  readonly columns: readonly string[]
  readonly problems: readonly Problem[]
}): ReactElement {
  const { row, columns, problems } = props
  const isWrong = problems.some(({ severity }) => severity === 'error')
  const wrongColumns = new Set(problems.map(({ column }) => column))
  return (
    <tbody data-tone={isWrong ? 'bad' : problems.length > 0 ? 'warn' : undefined}>
      <tr>
        <th scope="row">{row.row}</th>
        {columns.map((name, at) => (
          <td key={at} className={wrongColumns.has(name) ? 'wrong' : undefined}>
            {row.cells[at] ?? ''}
          </td>
        ))}
      </tr>
      {problems.length > 0 && (
        <tr className="reasons">
          <td />
          <td colSpan={columns.length}>
            {problems.map(({ code, column, message }) => (
              <p key={`${code}${column}`}>{message}</p>
            ))}
          </td>
        </tr>
      )}
    </tbody>
  )
}

function byRow(verdict: Verdict | undefined): ReadonlyMap<number, readonly Problem[]> {
  const rows = new Map<number, Problem[]>()
  for (const problem of [...(verdict?.errors ?? []), ...(verdict?.warnings ?? [])]) {
    if (problem.row !== undefined) rows.set(problem.row, [...(rows.get(problem.row) ?? []), problem])
  }
  return rows
}
