import { type ReactElement, useMemo, useState } from 'react'
import { api } from '../api/api.js'
import type { Comparison } from '../api/answers.js'
import { useLoaded } from '../api/use-loaded.js'
import { chartOf } from '../gantt/chart-data.js'
import { PlanChart } from '../gantt/plan-chart.js'
import { Link } from '../navigation/link.js'
import { go } from '../navigation/use-place.js'
import { DownloadMenu } from '../schedule/download-menu.js'
import { Confirmation } from '../shell/confirmation.js'
import { Notice } from '../shell/notice.js'
import { PageHead } from '../shell/page-head.js'
import { Failed, Loading } from '../shell/states.js'
import { StatusBadge } from '../shell/status-badge.js'
import { useAction } from '../shell/use-action.js'
import { useChanges } from '../shell/changes.js'
import { moment } from '../wording/moments.js'
import { STRATEGY_TITLES, isOpen } from '../wording/names.js'
import { counted, hours } from '../wording/numbers.js'
import { Contenders } from './contenders.js'

/** The hours of a clean window where the settings say nothing else. */
const WINDOW_HOURS = 120

/** One comparison: its runs while they go on, then who is best, by figures and charts. */
export function ComparisonPage({ id }: { readonly id: string }): ReactElement {
  const { value, error, reload } = useLoaded(id, (signal) => api.comparison(id, signal))
  const [isDoomed, setIsDoomed] = useState(false)
  useChanges((change) => {
    if (change && change.id !== id) return
    if (change?.status === 'deleted') go({ page: 'comparisons' })
    else reload()
  })
  if (!value) return error ? <Failed error={error} onRetry={reload} /> : <Loading what="Loading the comparison" />
  return (
    <>
      <Head comparison={value} onDelete={() => setIsDoomed(true)} onCancelled={reload} />
      <Verdict comparison={value} />
      <section className="panel" aria-labelledby="contenders-title">
        <h2 id="contenders-title">Strategies</h2>
        <Contenders comparison={value} />
      </section>
      <Charts comparison={value} />
      {isDoomed && (
        <Confirmation
          title={`Delete “${value.name}”?`}
          verb="Delete"
          onClose={() => setIsDoomed(false)}
          onConfirm={() => api.deleteComparison(id).then(() => go({ page: 'comparisons' }))}
        >
          <p>All its plans go with it. This cannot be undone.</p>
        </Confirmation>
      )}
    </>
  )
}

function Head(props: {
  readonly comparison: Comparison
  readonly onDelete: () => void
  readonly onCancelled: () => void
}): ReactElement {
  const { comparison, onDelete, onCancelled } = props
  const { id, name, status, mode } = comparison
  const { run, isBusy, problem } = useAction()
  const note = (
    <p className="facts">
      <StatusBadge status={status} />
      <span>{counted(comparison.lots_count, 'lot')}</span>
      <span>{mode}</span>
      <span>created {moment(comparison.created_at)}</span>
    </p>
  )
  return (
    <>
      <PageHead title={name} note={note} above={<Link to={{ page: 'comparisons' }}>Comparisons</Link>}>
        {isOpen(status) ? (
          <button
            type="button"
            className="danger"
            aria-disabled={isBusy}
            onClick={() => run(() => api.cancelComparison(id).then(onCancelled))}
          >
            Cancel the runs
          </button>
        ) : (
          status === 'completed' && (
            <DownloadMenu path={`/compare/${id}/export`} name={name} formats={['xlsx', 'html', 'csv', 'json']} />
          )
        )}
        <button type="button" className="danger" onClick={onDelete}>
          Delete
        </button>
      </PageHead>
      {problem && <Notice tone="bad">{problem}</Notice>}
    </>
  )
}

function Verdict({ comparison }: { readonly comparison: Comparison }): ReactElement | null {
  const { status, best_strategy: best, results } = comparison
  if (status === 'failed') return <Notice tone="bad">No strategy came to a plan. The reasons stand below.</Notice>
  if (status === 'cancelled') return <Notice tone="warn">The comparison was cancelled.</Notice>
  if (status !== 'completed' || !best) return null
  const [winner, given] = [best, 'given'].map((name) => results.find(({ strategy }) => strategy === name)?.makespan)
  const others = results.filter(({ strategy, makespan }) => strategy !== best && isSame(makespan, winner)).length
  const saved = winner != null && given != null ? given - winner : 0
  return (
    <Notice tone="good">
      <strong>{STRATEGY_TITLES[best]} is best</strong>
      {winner != null && ` with ${hours(winner)}`}
      {others > 0 && `, and ${others === 1 ? 'one other comes' : `${others} others come`} to the same`}
      {saved > 0.05 && given
        ? `: ${hours(saved)} (${((saved / given) * 100).toFixed(1)} %) less than the given order`
        : ''}
      .
    </Notice>
  )
}

function isSame(one: number | null | undefined, other: number | null | undefined): boolean {
  return one != null && other != null && Math.abs(one - other) < 0.005
}

function Charts({ comparison }: { readonly comparison: Comparison }): ReactElement | null {
  const plans = useMemo(
    () =>
      comparison.results.flatMap(({ strategy, activities, makespan }) => {
        if (!activities || activities.length === 0) return []
        const title = `${STRATEGY_TITLES[strategy]}, ${hours(makespan)}`
        return [{ label: `Plan of ${STRATEGY_TITLES[strategy]}`, title, data: chartOf(activities) }]
      }),
    [comparison],
  )
  if (plans.length === 0) return null
  const { timeZone = 'UTC', windowHours = WINDOW_HOURS } = comparison.config ?? {}
  return (
    <section className="panel" aria-labelledby="charts-title">
      <h2 id="charts-title">Plans on one scale</h2>
      <PlanChart plans={plans} zone={timeZone} windowHours={windowHours} />
    </section>
  )
}
