import { type ReactElement, useEffect, useState } from 'react'
import { systemClock } from '../../clock.js'
import { STRATEGY_NAMES } from '../../planning/strategy-name.js'
import { type ScheduleQuery, api } from '../api/api.js'
import type { ScheduleSummary } from '../api/answers.js'
import { useLoaded } from '../api/use-loaded.js'
import { Link } from '../navigation/link.js'
import { Confirmation } from '../shell/confirmation.js'
import { PageHead } from '../shell/page-head.js'
import { Pager } from '../shell/pager.js'
import { Empty, Failed, Loading } from '../shell/states.js'
import { useChanges } from '../shell/changes.js'
import { STATUSES, STATUS_TITLES, STRATEGY_TITLES } from '../wording/names.js'
import { Overview } from './overview.js'
import { SchedulesTable } from './schedules-table.js'

const ALL: ScheduleQuery = { page: 1, search: '', status: '', strategy: '' }

/** All schedules of the user, live. */
export function SchedulesPage(): ReactElement {
  const [query, setQuery] = useState(ALL)
  const listed = useLoaded(JSON.stringify(query), (signal) => api.schedules(query, signal))
  const counts = useLoaded('counts', api.counts)
  const newest = useLoaded('newest', newestPlan)
  const [doomed, setDoomed] = useState<ScheduleSummary>()
  const reload = (): void => {
    listed.reload()
    counts.reload()
    newest.reload()
  }
  useChanges(reload)
  const isFiltered = query.search !== '' || query.status !== '' || query.strategy !== ''
  return (
    <>
      <PageHead title="Schedules">
        <Link to={{ page: 'new', compare: true }} className="button">
          Compare strategies
        </Link>
        <Link to={{ page: 'new' }} className="button primary">
          New schedule
        </Link>
      </PageHead>
      <Overview counts={counts.value} newest={newest.value} />
      {(isFiltered || (counts.value?.total ?? 0) > 0) && <Filters query={query} onQuery={setQuery} />}
      <section className="panel" aria-label="Schedules" aria-busy={listed.isLoading}>
        <List listed={listed} isFiltered={isFiltered} onClear={() => setQuery(ALL)} onDelete={setDoomed} />
      </section>
      <Pager page={query.page} pages={listed.value?.pages ?? 1} onPage={(page) => setQuery({ ...query, page })} />
      {doomed && (
        <Confirmation
          title={`Delete “${doomed.name}”?`}
          verb="Delete"
          onClose={() => setDoomed(undefined)}
          onConfirm={() => api.deleteSchedule(doomed.id).then(reload)}
        >
          <p>Its plan goes with it, and a run that is under way is stopped. This cannot be undone.</p>
        </Confirmation>
      )}
    </>
  )
}

/** The plan that was made last. */
function newestPlan(signal: AbortSignal): Promise<ScheduleSummary | undefined> {
  return api.schedules({ ...ALL, status: 'completed' }, signal).then(({ items }) => items[0])
}

function List(props: {
  readonly listed: ReturnType<typeof useLoaded<Awaited<ReturnType<typeof api.schedules>>>>
  readonly isFiltered: boolean
  readonly onClear: () => void
  readonly onDelete: (schedule: ScheduleSummary) => void
}): ReactElement {
  const { value, error, reload } = props.listed
  if (!value) return error ? <Failed error={error} onRetry={reload} /> : <Loading what="Loading your schedules" />
  if (value.items.length > 0) return <SchedulesTable schedules={value.items} onDelete={props.onDelete} />
  if (props.isFiltered)
    return (
      <Empty title="No schedule matches">
        <button type="button" onClick={props.onClear}>
          Show all schedules
        </button>
      </Empty>
    )
  return (
    <Empty title="Plan your first week">
      <p className="muted">Drop a CSV with your lots, choose a strategy, and watch the plan being made.</p>
      <Link to={{ page: 'new' }} className="button primary">
        New schedule
      </Link>
    </Empty>
  )
}

function Filters({
  query,
  onQuery,
}: {
  readonly query: ScheduleQuery
  readonly onQuery: (query: ScheduleQuery) => void
}): ReactElement {
  const set = (change: Partial<ScheduleQuery>): void => onQuery({ ...query, ...change, page: 1 })
  return (
    <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <Search text={query.search} onText={(search) => set({ search })} />
      <label>
        <span className="visually-hidden">Status</span>
        <select value={query.status} onChange={(event) => set({ status: event.target.value })}>
          <option value="">Every status</option>
          {STATUSES.map((status) => (
            <option key={status} value={status}>
              {STATUS_TITLES[status]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span className="visually-hidden">Strategy</span>
        <select value={query.strategy} onChange={(event) => set({ strategy: event.target.value })}>
          <option value="">Every strategy</option>
          {STRATEGY_NAMES.map((name) => (
            <option key={name} value={name}>
              {STRATEGY_TITLES[name]}
            </option>
          ))}
        </select>
      </label>
    </form>
  )
}

const REST_MS = 250

function Search({ text, onText }: { readonly text: string; readonly onText: (text: string) => void }): ReactElement {
  const [typed, setTyped] = useState(text)
  useEffect(() => {
    if (typed !== text) return systemClock.after(REST_MS, () => onText(typed))
  }, [typed])
  useEffect(() => setTyped(text), [text])
  return (
    <label className="grow">
      <span className="visually-hidden">Search by name</span>
      <input
        type="search"
        placeholder="Search by name"
        value={typed}
        maxLength={200}
        onChange={(event) => setTyped(event.target.value)}
      />
    </label>
  )
}
