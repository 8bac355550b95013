import type { OperationSnapshot } from '@holdfast/protocol'
import { useConnection, useOperation } from '@holdfast/client/react'
import { type ReactElement, useEffect, useState } from 'react'
import { api } from '../api/api.js'
import { Notice } from '../shell/notice.js'
import { useAction } from '../shell/use-action.js'
import { RunBar } from './run-bar.js'
import { runFigures, stateWords } from './run-figures.js'

/** A run, live: how far it is, how long it takes, what is best so far; with a way to stop it, also where it cannot be watched. Calls back as it has ended, or cannot be watched, and as it was cancelled. */
export function RunPanel(props: {
  readonly id: string
  readonly title: string
  readonly onEnd: () => void
  readonly onCancelled: () => void
}): ReactElement {
  const { id, onCancelled } = props
  const { snapshot, status, error, progress } = useOperation(id)
  const { run, isBusy, problem } = useAction()
  useOnce(status === 'ended' || status === 'unavailable', props.onEnd)
  const isCancelling = snapshot?.cancelRequested === true
  const isResting = isCancelling || isBusy || status === 'ended'
  // Not over the connection, which may be away while the server can be reached.
  const stop = (): void => run(() => api.cancelSchedule(id).then(onCancelled))
  const words = snapshot ? stateWords(snapshot) : 'Connecting to the run'
  return (
    <section className="panel run" aria-label="Run" data-status={status} data-state={snapshot?.state}>
      <div className="run-head">
        <p className="percent" aria-hidden="true">
          {percentWords(snapshot)}
        </p>
        <div>
          <h2>{props.title}</h2>
          <p className="muted">{status === 'ended' ? 'Fetching the result' : words}</p>
        </div>
        <button type="button" className="danger" aria-disabled={isResting} onClick={() => isResting || stop()}>
          {isCancelling || isBusy ? 'Cancelling' : 'Cancel the run'}
        </button>
      </div>
      <RunBar percent={progress?.percent} label={`Progress of ${props.title}`} words={words} />
      {snapshot && <Figures of={snapshot} />}
      <Honesty status={status} isKnown={snapshot !== undefined} />
      {status === 'unavailable' && error?.code !== 'not_found' && (
        <Notice tone="warn">The run cannot be watched: {error?.message}</Notice>
      )}
      {problem && !isCancelling && <Notice tone="bad">{problem}</Notice>}
      <p className="visually-hidden" aria-live="polite">
        {words}
      </p>
    </section>
  )
}

function percentWords(snapshot: OperationSnapshot | undefined): string {
  if (snapshot?.state === 'queued') return '0 %'
  const percent = snapshot?.progress.percent
  return percent === undefined ? '…' : `${Math.floor(percent)} %`
}

function Figures({ of }: { readonly of: OperationSnapshot }): ReactElement {
  return (
    <dl className="figures">
      {runFigures(of).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Says that what is shown is not of now. */
function Honesty({ status, isKnown }: { readonly status: string; readonly isKnown: boolean }): ReactElement | null {
  const connection = useConnection()
  const isAway = status === 'reconnecting' || connection.status === 'waiting'
  if (!isAway) return null
  return (
    <Notice tone="warn">
      The connection is lost. {isKnown && 'This is the last that is known. '}The run does not need this page, which
      catches up by itself.
    </Notice>
  )
}

function useOnce(isSo: boolean, work: () => void): void {
  const [isDone, setIsDone] = useState(false)
  useEffect(() => {
    if (!isSo || isDone) return
    setIsDone(true)
    work()
  }, [isSo, isDone, work])
}
