import type { ReactElement } from 'react'

/** Hatchings, so that cleaning and closed time are told apart without colours. */
export function Patterns({ prefix }: { readonly prefix: string }): ReactElement {
  return (
    <defs>
      <pattern id={`${prefix}CLEAN`} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <line x1="0" y1="0" x2="0" y2="6" className="hatch-clean" />
      </pattern>
      <pattern id={`${prefix}CLOSED`} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">
        <line x1="0" y1="0" x2="0" y2="5" className="hatch-closed" />
      </pattern>
    </defs>
  )
}
