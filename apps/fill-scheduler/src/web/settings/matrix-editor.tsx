import { type ReactElement, useState } from 'react'
import { at, fieldValue } from './setting-path.js'
import { useDesk } from './fields.js'

type Matrix = Readonly<Record<string, Readonly<Record<string, number>>>>

/** Changeover hours from each type to each; an empty cell follows the two numbers for the same and another type. */
export function MatrixEditor({ types }: { readonly types: readonly string[] }): ReactElement {
  const { settings, set } = useDesk()
  const matrix = (at(settings, 'changeover.matrix') ?? {}) as Matrix
  const [more, setMore] = useState<readonly string[]>([])
  const all = [...new Set([...types, ...more, ...typesIn(matrix)])].toSorted()
  const change = (from: string, to: string, text: string): void => {
    const next = changed(matrix, from, to, text.trim() === '' ? undefined : Number(text))
    set('changeover.matrix', Object.keys(next).length > 0 ? next : undefined)
  }
  return (
    <div className="stack">
      {all.length > 0 && <Table matrix={matrix} types={all} onChange={change} />}
      <NewType onType={(type) => setMore([...more, type])} isFirst={all.length === 0} />
    </div>
  )
}

function Table(props: {
  readonly matrix: Matrix
  readonly types: readonly string[]
  readonly onChange: (from: string, to: string, text: string) => void
}): ReactElement {
  const { matrix, types, onChange } = props
  const { valueAt } = useDesk()
  const otherwise = (from: string, to: string): string =>
    fieldValue(valueAt(from === to ? 'changeover.sameTypeHours' : 'changeover.differentTypeHours'))
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Changeover matrix">
      <table className="compact matrix">
        <caption>Hours from the type of a row to that of a column. Empty: the two numbers above.</caption>
        <thead>
          <tr>
            <th scope="col">From \ to</th>
            {types.map((to) => (
              <th scope="col" key={to}>
                {to}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {types.map((from) => (
            <tr key={from}>
              <th scope="row">{from}</th>
              {types.map((to) => (
                <td key={to}>
                  <input
                    type="number"
                    min={0}
                    step="any"
                    aria-label={`Hours from ${from} to ${to}`}
                    value={cell(matrix, from, to) ?? ''}
                    placeholder={otherwise(from, to)}
                    onChange={(event) => onChange(from, to, event.target.value)}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function NewType(props: { readonly onType: (type: string) => void; readonly isFirst: boolean }): ReactElement {
  const [type, setType] = useState('')
  const add = (): void => {
    if (type.trim() !== '') props.onType(type.trim())
    setType('')
  }
  return (
    <div className="button-row">
      <input
        value={type}
        maxLength={64}
        aria-label="Type for the changeover matrix"
        placeholder={props.isFirst ? 'A type, for a matrix' : 'Another type'}
        onChange={(event) => setType(event.target.value)}
      />
      <button type="button" onClick={add} aria-disabled={type.trim() === ''}>
        Add
      </button>
    </div>
  )
}

function typesIn(matrix: Matrix): readonly string[] {
  return Object.entries(matrix).flatMap(([from, row]) => [from, ...Object.keys(row)])
}

/** A matrix with other hours in one place; undefined takes them away, and with them a row that is empty then. */
function changed(matrix: Matrix, from: string, to: string, hours: number | undefined): Matrix {
  const row = new Map(Object.entries(Object.hasOwn(matrix, from) ? (matrix[from] ?? {}) : {}))
  if (hours === undefined) row.delete(to)
  else row.set(to, hours)
  const rows = new Map(Object.entries(matrix))
  if (row.size === 0) rows.delete(from)
  else rows.set(from, Object.fromEntries(row))
  return Object.fromEntries(rows)
}

/** Types are what somebody wrote into a file: `constructor` is one like any other. */
function cell(matrix: Matrix, from: string, to: string): number | undefined {
  const row = Object.hasOwn(matrix, from) ? matrix[from] : undefined
  return row && Object.hasOwn(row, to) ? row[to] : undefined
}
