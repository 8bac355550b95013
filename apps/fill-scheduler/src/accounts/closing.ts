import type { RunDesk, RunOwner } from '../runs/run-desk.js'
import type { RunStatus, Store } from '../store/store.js'
import type { Accounts } from './accounts.js'

/** What closing an account works with. */
export interface ClosingParts {
  readonly store: Pick<Store, 'schedules' | 'comparisons'>
  readonly desk: Pick<RunDesk, 'cancel' | 'endAllOf'>
  readonly accounts: Pick<Accounts, 'remove'>
}

const OPEN: readonly RunStatus[] = ['pending', 'running']
/** More than a user may have open. */
const PAGE = { page: 1, pageSize: 100 } as const

/**
 * Removes an account with everything that it has; what runs is cancelled first, and what was handed in meanwhile ends afterwards. A server that dies on the way leaves the account as it was, without
 * what was cancelled. Resolves to the latest second in which a token of it was signed; 0: none was.
 */
export async function closeAccount(userId: string, { store, desk, accounts }: ClosingParts): Promise<number> {
  for (const owner of await openOf(userId, store)) await desk.cancel(owner)
  const tokensUntil = await accounts.remove(userId)
  await desk.endAllOf(userId)
  return tokensUntil ?? 0
}

async function openOf(userId: string, store: ClosingParts['store']): Promise<readonly RunOwner[]> {
  const listed = OPEN.flatMap((status) => [
    store.schedules.list(userId, { ...PAGE, status }).then(({ items }) => owners('schedule', userId, items)),
    store.comparisons.list(userId, { ...PAGE, status }).then(({ items }) => owners('comparison', userId, items)),
  ])
  return (await Promise.all(listed)).flat()
}

function owners(kind: RunOwner['kind'], userId: string, items: readonly { readonly id: string }[]): RunOwner[] {
  return items.map(({ id }) => ({ kind, userId, id }))
}
