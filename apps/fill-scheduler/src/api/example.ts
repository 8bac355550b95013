import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Accounts } from '../accounts/accounts.js'
import { readLots } from '../io/lots-csv.js'
import { DEFAULT_SETTINGS } from '../planning/settings.js'
import type { StrategyName } from '../planning/strategy-name.js'
import type { Comparison, PlanInput, User } from '../store/store.js'
import type { ApiParts } from './api-environment.js'
import { idOfKey } from './ids.js'
import { hashOf } from './plan-order.js'
import { beginSchedule } from './schedule-routes.js'

const EMAIL = 'planner@example.com'
const LOTS = new URL('../../data/example-lots.csv', import.meta.url)
const SCHEDULES: readonly StrategyName[] = ['smart-pack', 'cfs-pack', 'exact']
const COMPARED: readonly StrategyName[] = ['smart-pack', 'spt-pack', 'lpt-pack', 'cfs-pack', 'hybrid-pack']

type ExampleParts = Pick<ApiParts, 'store' | 'desk' | 'clock'> & { readonly accounts: Accounts }

/** The account of the example, with the example lots as schedules and a comparison, which are planned as any others. What is there already stays as it is, and what was deleted stays away. */
export async function loadExample({ store, desk, clock, accounts }: ExampleParts): Promise<User> {
  // Without bounds: a planner who has much does not keep the server from starting.
  const parts = { store, desk, clock, accounts }
  const user = await examplePlanner(parts)
  const { lots } = readLots(await readFile(LOTS), DEFAULT_SETTINGS)
  const input: PlanInput = { lots, settings: DEFAULT_SETTINGS, lotsHash: hashOf(lots) }
  for (const strategy of SCHEDULES) {
    const key = `example ${strategy}`
    const id = idOfKey(user.id, 'schedule', key)
    if ((await parts.store.schedules.status(user.id, id)) || (await parts.desk.hasEnded(id))) continue
    const settings = { ...DEFAULT_SETTINGS, strategy }
    const name = `Example lots, ${strategy}`
    await beginSchedule(parts, user.id, { name, settings, input: { ...input, settings }, key })
  }
  await compare(parts, user.id, input)
  return user
}

/** Nobody knows the password: the account is entered by one-time codes. */
async function examplePlanner({ store, accounts }: ExampleParts): Promise<User> {
  const known = await store.users.byEmail(EMAIL)
  return known ?? accounts.register({ email: EMAIL, password: randomBytes(32).toString('base64url') })
}

async function compare({ store, desk, clock }: ExampleParts, userId: string, input: PlanInput): Promise<void> {
  const id = idOfKey(userId, 'comparison', 'example')
  if ((await store.comparisons.status(userId, id)) || (await desk.hasEnded(id))) return
  const comparison: Omit<Comparison, 'results'> = {
    ...{ id, userId, name: 'Example lots, five heuristics', status: 'pending', mode: 'improved' },
    ...{ strategies: COMPARED, input, createdAt: new Date(clock.now()).toISOString() },
  }
  await desk.submitComparison(comparison)
}
