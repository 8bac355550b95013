import type { Holdfast } from '@holdfast/client'
import { type OperationSnapshot, channelSegment, isTerminal } from '@holdfast/protocol'
import { systemClock } from '../../clock.js'
import { formatPercent } from '../../quantity.js'
import { element, make, setText } from './elements.js'
import { addressOf } from './single-view.js'
import { fetchToken } from './token.js'

/** Operations that are listed; older ones have left the page. */
const LISTED_MAX = 12
const RETRY_MS = 2000

/** The list of a person's operations: what there was, and live what becomes of it and what begins. */
export class JobsPanel {
  readonly #user: string
  readonly #current: string | undefined
  readonly #jobs = new Map<string, OperationSnapshot>()
  readonly #rows = new Map<string, HTMLElement>()
  #stopRetry: () => void = () => {}

  /** `current`: the operation that the page shows in full. */
  constructor(client: Holdfast, user: string, current: string | undefined) {
    this.#user = user
    this.#current = current
    setText(element('jobs-user'), user)
    client.channel(`operations:${channelSegment(user)}`).on('*', ({ data }) => this.#take(data as OperationSnapshot))
    // What came to its end before the page was opened is in no feed.
    client.on('state', ({ state }) => {
      this.#stopRetry()
      if (state === 'open') void this.#fetch()
    })
    this.#show()
  }

  /** Until it is answered: without it a list looks whole that is not. */
  async #fetch(): Promise<void> {
    try {
      const headers = { authorization: `Bearer ${await fetchToken(this.#user)}` }
      const answer = await fetch(`/api/v1/operations?limit=${LISTED_MAX}`, { headers })
      const { items } = (await answer.json()) as { items: OperationSnapshot[] }
      for (const item of items) this.#take(item)
    } catch {
      this.#stopRetry()
      this.#stopRetry = systemClock.after(RETRY_MS, () => void this.#fetch())
    }
  }

  #take(snapshot: OperationSnapshot): void {
    const known = this.#jobs.get(snapshot.id)
    if (known && known.version >= snapshot.version && known.startedAt === snapshot.startedAt) return
    this.#jobs.set(snapshot.id, snapshot)
    this.#show()
  }

  #show(): void {
    const newest = [...this.#jobs.values()].toSorted((a, b) => (bornAt(a) < bornAt(b) ? 1 : -1))
    for (const { id } of newest.splice(LISTED_MAX)) {
      this.#jobs.delete(id)
      this.#rows.delete(id)
    }
    const rows = newest.map((snapshot) => this.#row(snapshot))
    const isSame = rows.length > 0 && rows.every((row, at) => element('jobs').children[at] === row)
    if (!isSame) element('jobs').replaceChildren(...(rows.length > 0 ? rows : [make('li', { class: 'empty' }, NONE)]))
  }

  /** The same row for the same operation, so that who stands on its link stays there. */
  #row(snapshot: OperationSnapshot): HTMLElement {
    const row = this.#rows.get(snapshot.id) ?? makeRow(snapshot, this.#user, this.#current === snapshot.id)
    this.#rows.set(snapshot.id, row)
    const { state, progress } = snapshot
    const percent = state === 'completed' ? 100 : progress.percent
    row.dataset['state'] = state
    showBar(row, percent ?? (isTerminal(state) ? 0 : undefined))
    setText(row.querySelector('.job-percent')!, percent === undefined ? '' : formatPercent(percent))
    setText(row.querySelector('.job-state')!, snapshot.cancelRequested && !isTerminal(state) ? 'cancelling' : state)
    return row
  }
}

const NONE = 'None yet. Start an index, or run any command with holdfast run.'

function bornAt({ startedAt, updatedAt }: OperationSnapshot): string {
  return startedAt ?? updatedAt
}

function makeRow({ id, label, kind }: OperationSnapshot, user: string, isCurrent: boolean): HTMLElement {
  const name = label ?? kind
  const attributes = { href: addressOf(id, user), ...(isCurrent && { 'aria-current': 'page' }) }
  return make(
    'li',
    { class: 'job' },
    make('a', { attributes }, name),
    make('progress', { class: 'job-bar', attributes: { max: '100', 'aria-hidden': 'true' } }),
    make('span', { class: 'job-percent' }),
    make('span', { class: 'job-state' }),
  )
}

function showBar(row: HTMLElement, percent: number | undefined): void {
  const bar = row.querySelector('progress')!
  if (percent === undefined) bar.removeAttribute('value')
  else bar.value = percent
}
