import { type ReactElement, useState } from 'react'
import { api } from '../api/api.js'
import type { ComparisonSummary } from '../api/answers.js'
import { useLoaded } from '../api/use-loaded.js'
import { Link } from '../navigation/link.js'
import { MiniRun } from '../run/mini-run.js'
import { ACTIONS, Cell, Headings } from '../shell/columns.js'
import { Confirmation } from '../shell/confirmation.js'
import { PageHead } from '../shell/page-head.js'
import { Pager } from '../shell/pager.js'
import { Empty, Failed, Loading } from '../shell/states.js'
import { StatusBadge } from '../shell/status-badge.js'
import { useChanges } from '../shell/changes.js'
import { moment } from '../wording/moments.js'
import { STRATEGY_TITLES, isOpen } from '../wording/names.js'
import { count, hours } from '../wording/numbers.js'

const COLUMNS = {
  name: { title: 'Name' },
  status: { title: 'Status' },
  strategies: { title: 'Strategies' },
  lots: { title: 'Lots', isNumber: true },
  best: { title: 'Best' },
  created: { title: 'Created' },
  actions: ACTIONS,
}

/** All comparisons of the user, live. */
export function ComparisonsPage(): ReactElement {
  const [page, setPage] = useState(1)
  const { value, error, reload } = useLoaded(`comparisons ${page}`, (signal) => api.comparisons({ page }, signal))
  const [doomed, setDoomed] = useState<ComparisonSummary>()
  useChanges((change) => change?.kind !== 'schedule' && reload())
  const newOne = (
    <Link to={{ page: 'new', compare: true }} className="button primary">
      New comparison
    </Link>
  )
  return (
    <>
      <PageHead
        title="Comparisons"
        note="Several strategies on the same lots, beside the order that they were given in."
      >
        {newOne}
      </PageHead>
      <section className="panel" aria-label="Comparisons">
        {!value ? (
          error ? (
            <Failed error={error} onRetry={reload} />
          ) : (
            <Loading what="Loading your comparisons" />
          )
        ) : value.items.length === 0 ? (
          <Empty title="Nothing compared yet">
            <p className="muted">Which strategy suits your lots best? Compare up to six.</p>
            {newOne}
          </Empty>
        ) : (
          <ComparisonsTable comparisons={value.items} onDelete={setDoomed} />
        )}
      </section>
      <Pager page={page} pages={value?.pages ?? 1} onPage={setPage} />
      {doomed && (
        <Confirmation
          title={`Delete “${doomed.name}”?`}
          verb="Delete"
          onClose={() => setDoomed(undefined)}
          onConfirm={() => api.deleteComparison(doomed.id).then(reload)}
        >
          <p>All its plans go with it. This cannot be undone.</p>
        </Confirmation>
      )}
    </>
  )
}

function ComparisonsTable(props: {
  readonly comparisons: readonly ComparisonSummary[]
  readonly onDelete: (comparison: ComparisonSummary) => void
}): ReactElement {
  return (
    <table className="cards">
      <Headings of={COLUMNS} />
      <tbody>
        {props.comparisons.map((one) => (
          <tr key={one.id}>
            <th scope="row">
              <Link to={{ page: 'comparison', id: one.id }}>{one.name}</Link>
            </th>
            <Cell of={COLUMNS.status}>
              {isOpen(one.status) ? <MiniRun id={one.id} label={one.name} /> : <StatusBadge status={one.status} />}
            </Cell>
            <Cell of={COLUMNS.strategies}>
              {one.strategies.map((name) => STRATEGY_TITLES[name] ?? name).join(', ')}
            </Cell>
            <Cell of={COLUMNS.lots}>{count(one.lots_count)}</Cell>
            <Cell of={COLUMNS.best}>
              {one.best_strategy ? STRATEGY_TITLES[one.best_strategy] : '–'}
              {one.best_makespan != null && <small className="muted">{hours(one.best_makespan)}</small>}
            </Cell>
            <Cell of={COLUMNS.created} className="moment">
              {moment(one.created_at)}
            </Cell>
            <td className="row-actions">
              <button
                type="button"
                className="quiet"
                aria-label={`Delete ${one.name}`}
                onClick={() => props.onDelete(one)}
              >
                Delete
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
