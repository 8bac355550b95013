import type { ReactElement } from 'react'
import type { ChartData } from './chart-data.js'
import { TYPE_COLOURS } from './type-colours.js'

/** What the colours mean. */
export function Legend({ plans }: { readonly plans: readonly ChartData[] }): ReactElement {
  const all = plans.flatMap(({ lanes }) => lanes.flatMap(({ activities }) => activities))
  const kinds = new Set(all.map(({ kind }) => kind))
  const isFrozen = all.some(({ frozen }) => frozen)
  return (
    <ul className="legend" aria-label="Colours">
      {plans[0]?.types.map((type, at) => (
        <li key={type}>
          <span className={`swatch type-${at % TYPE_COLOURS}`} />
          {type}
        </li>
      ))}
      {kinds.has('CLEAN') && <Kind of="clean" title="Cleaning" />}
      {kinds.has('CHANGEOVER') && <Kind of="changeover" title="Changeover" />}
      {kinds.has('CLOSED') && <Kind of="closed" title="Closed" />}
      {isFrozen && <Kind of="frozen" title="Left as it was" />}
      <Kind of="window" title="Window used" />
    </ul>
  )
}

function Kind({ of, title }: { readonly of: string; readonly title: string }): ReactElement {
  return (
    <li>
      <span className={`swatch ${of}`} />
      {title}
    </li>
  )
}
