import type { ReactElement } from 'react'
import type { RunStatus } from '../../store/store.js'
import { STATUS_TITLES } from '../wording/names.js'

/** The state of a run; told by the word, not by the colour alone. */
export function StatusBadge({ status }: { readonly status: RunStatus }): ReactElement {
  return (
    <span className="badge" data-status={status}>
      {STATUS_TITLES[status]}
    </span>
  )
}
