import { type ReactElement, useCallback, useEffect, useState } from 'react'
import { systemClock } from '../../clock.js'
import { api } from '../api/api.js'
import type { Schedule } from '../api/answers.js'
import { useLoaded } from '../api/use-loaded.js'
import { Link } from '../navigation/link.js'
import { go } from '../navigation/use-place.js'
import { RunPanel } from '../run/run-panel.js'
import { Confirmation } from '../shell/confirmation.js'
import { Notice } from '../shell/notice.js'
import { PageHead } from '../shell/page-head.js'
import { Failed, Loading } from '../shell/states.js'
import { StatusBadge } from '../shell/status-badge.js'
import { useChanges } from '../shell/changes.js'
import { moment } from '../wording/moments.js'
import { STRATEGY_TITLES, isOpen } from '../wording/names.js'
import { counted } from '../wording/numbers.js'
import { CompareDialog } from './compare-dialog.js'
import { DownloadMenu } from './download-menu.js'
import { ReplanDialog } from './replan-dialog.js'
import { ResultView } from './result-view.js'

type Question = 'compare' | 'replan' | 'delete'

/** A run whose end was told is looked at again after this, until the list of schedules knows it, too. */
const LOOK_AGAIN_MS = 1_000

/** One schedule: its run while it goes on, then its plan. */
export function SchedulePage({ id }: { readonly id: string }): ReactElement {
  const { value, error, reload } = useLoaded(id, (signal) => api.schedule(id, signal))
  const [question, setQuestion] = useState<Question>()
  const round = useRounds(value !== undefined && isOpen(value.status), reload)
  useChanges((change) => {
    if (change && change.id !== id) return
    if (change?.status === 'deleted') go({ page: 'schedules' })
    else reload()
  })
  if (!value) return error ? <Failed error={error} onRetry={reload} /> : <Loading what="Loading the schedule" />
  return (
    <>
      <Head schedule={value} onQuestion={setQuestion} />
      {isOpen(value.status) && (
        <RunPanel key={round.number} id={id} title={value.name} onEnd={round.next} onCancelled={reload} />
      )}
      <Outcome schedule={value} />
      {value.result && <ResultView schedule={value} result={value.result} />}
      <Questions question={question} schedule={value} onClose={() => setQuestion(undefined)} />
    </>
  )
}

function Head({
  schedule,
  onQuestion,
}: {
  readonly schedule: Schedule
  readonly onQuestion: (question: Question) => void
}): ReactElement {
  const { name, description, status, strategy, mode, replans, result } = schedule
  const note = (
    <>
      <p className="facts">
        <StatusBadge status={status} />
        <span>{STRATEGY_TITLES[strategy] ?? strategy}</span>
        <span>{mode}</span>
        <span>
          {counted(schedule.lots_count, 'lot')}
          {replans && ' planned anew'}
        </span>
        <span>created {moment(schedule.created_at)}</span>
        {replans && (
          <span>
            re-plans <Link to={{ page: 'schedule', id: replans }}>an earlier schedule</Link>
          </span>
        )}
      </p>
      {description && <p>{description}</p>}
    </>
  )
  return (
    <PageHead title={name} note={note} above={<Link to={{ page: 'schedules' }}>Schedules</Link>}>
      {result && (
        <DownloadMenu
          path={`/schedule/${schedule.id}/export`}
          name={name}
          formats={['xlsx', 'pdf', 'csv', 'html', 'txt', 'json']}
        />
      )}
      {result && (
        <button type="button" onClick={() => onQuestion('replan')}>
          Re-plan
        </button>
      )}
      {!isOpen(status) && (
        <button type="button" onClick={() => onQuestion('compare')}>
          Compare
        </button>
      )}
      <Link to={{ page: 'new', from: schedule.id }} className="button">
        Plan again
      </Link>
      <button type="button" className="danger" onClick={() => onQuestion('delete')}>
        Delete
      </button>
    </PageHead>
  )
}

function Outcome({ schedule }: { readonly schedule: Schedule }): ReactElement | null {
  const { status, error } = schedule
  const again = <Link to={{ page: 'new', from: schedule.id }}>Plan the lots again</Link>
  if (status === 'cancelled') return <Notice tone="warn">The run was cancelled before there was a plan. {again}</Notice>
  if (status !== 'failed') return null
  return (
    <Notice tone="bad">
      <strong>There is no plan.</strong> {error?.message ?? 'The run failed.'} {again}
    </Notice>
  )
}

function Questions(props: {
  readonly question: Question | undefined
  readonly schedule: Schedule
  readonly onClose: () => void
}): ReactElement | null {
  const { question, schedule, onClose } = props
  if (question === 'compare') return <CompareDialog schedule={schedule} onClose={onClose} />
  if (question === 'replan') return <ReplanDialog schedule={schedule} onClose={onClose} />
  if (question !== 'delete') return null
  const doom = (): Promise<void> => api.deleteSchedule(schedule.id).then(() => go({ page: 'schedules' }))
  return (
    <Confirmation title={`Delete “${schedule.name}”?`} verb="Delete" onConfirm={doom} onClose={onClose}>
      <p>Its plan goes with it, and a run that is under way is stopped. This cannot be undone.</p>
    </Confirmation>
  )
}

/** Watches anew, and looks again, while a run is over for those who watch it and open for those who list it. */
function useRounds(isOpen: boolean, reload: () => void): { readonly number: number; readonly next: () => void } {
  const [number, setNumber] = useState(0)
  const [isWaiting, setIsWaiting] = useState(false)
  const next = useCallback(() => {
    reload()
    setIsWaiting(true)
  }, [reload])
  useEffect(() => {
    if (!isWaiting || !isOpen) return
    return systemClock.after(LOOK_AGAIN_MS, () => {
      setIsWaiting(false)
      setNumber((before) => before + 1)
    })
  }, [isWaiting, isOpen])
  return { number, next }
}
