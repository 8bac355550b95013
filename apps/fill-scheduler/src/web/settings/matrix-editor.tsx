import type { ReactElement } from 'react'
import { at } from './setting-path.js'
import { useDesk } from './fields.js'

type Matrix = Readonly<Record<string, Readonly<Record<string, number>>>>

/** Changeover hours from each type to each; an empty cell follows the two numbers for the same and another type. */
export function MatrixEditor({ types }: { readonly types: readonly string[] }): ReactElement {
  const { settings, set, valueAt } = useDesk()
  const matrix = (at(settings, 'changeover.matrix') ?? {}) as Matrix
  const all = [...new Set([...types, ...Object.keys(matrix)])].toSorted()
  if (all.length === 0) return <p className="muted">Load lots first: their types stand here then.</p>
  const change = (from: string, to: string, text: string): void => {
    const row = { ...(Object.hasOwn(matrix, from) ? matrix[from] : {}) } as Record<string, number>
    const { [to]: _gone, ...others } = row
    const next = text.trim() === '' ? others : { ...others, [to]: Number(text) }
    const { [from]: _row, ...rest } = matrix
    const whole = Object.keys(next).length > 0 ? { ...rest, [from]: next } : rest
    set('changeover.matrix', Object.keys(whole).length > 0 ? whole : undefined)
  }
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Changeover matrix">
      <table className="compact matrix">
        <caption>Hours from the type of a row to that of a column. Empty: the two numbers above.</caption>
        <thead>
          <tr>
            <th scope="col">From \ to</th>
            {all.map((to) => (
              <th scope="col" key={to}>
                {to}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {all.map((from) => (
            <tr key={from}>
              <th scope="row">{from}</th>
              {all.map((to) => (
                <td key={to}>
                  <input
                    type="number"
                    min={0}
                    step="any"
                    aria-label={`Hours from ${from} to ${to}`}
                    value={cell(matrix, from, to) ?? ''}
                    placeholder={String(
                      valueAt(from === to ? 'changeover.sameTypeHours' : 'changeover.differentTypeHours'),
                    )}
                    onChange={(event) => change(from, to, event.target.value)}
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

/** Types are what somebody wrote into a file: `constructor` is one like any other. */
function cell(matrix: Matrix, from: string, to: string): number | undefined {
  const row = Object.hasOwn(matrix, from) ? matrix[from] : undefined
  return row && Object.hasOwn(row, to) ? row[to] : undefined
}
