import type { ReactElement } from 'react'

/** The sign and the name of the product. */
export function Brand(): ReactElement {
  return (
    <span className="brand">
      <svg viewBox="0 0 32 32" aria-hidden="true" className="brand-mark">
        <rect x="3" y="6" width="14" height="5" rx="1.5" />
        <rect x="10" y="13.5" width="15" height="5" rx="1.5" opacity="0.75" />
        <rect x="18" y="21" width="11" height="5" rx="1.5" opacity="0.5" />
      </svg>
      <span>Fill scheduler</span>
    </span>
  )
}
