import { useOperation } from '@holdfast/client/react'
import type { ReactElement } from 'react'
import { RunBar } from './run-bar.js'
import { shortWords, stateWords } from './run-figures.js'

/** A run in a line of a list. */
export function MiniRun({ id, label }: { readonly id: string; readonly label: string }): ReactElement {
  const { progress, snapshot } = useOperation(id)
  const percent = progress?.percent
  return (
    <span className="mini-run">
      <RunBar
        percent={snapshot?.state === 'queued' ? 0 : percent}
        label={`Progress of ${label}`}
        words={snapshot ? stateWords(snapshot) : ''}
      />
      <span className="mini-percent">{shortWords(snapshot)}</span>
    </span>
  )
}
