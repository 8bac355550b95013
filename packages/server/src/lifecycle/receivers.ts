import type { Engine } from '../engine/engine.js'
import type { Destination } from './destination.js'
import { DESTINATIONS_MAX, readWanted } from './interest.js'
import { ENTRY_MS, INTEREST } from './places.js'

/** The register of receivers that were there within a day, each with the only tenant whose events it gets, or nothing. */
const RECEIVERS = 'lifecycle:receivers'

/** How often a receiver shows that it is there: the engine may have lost it. */
export const RECEIVER_SHOWN_MS = 60_000

/** Who gets events: its id, and the only tenant whose events it gets; undefined: it may be any. */
type Receiver = Pick<Destination, 'id' | 'tenant'>

/** A receiver is there: for a day what it did not get is kept. Rejects when the engine refuses. */
export async function showReceiver(engine: Pick<Engine, 'registers'>, { id, tenant = '' }: Receiver): Promise<void> {
  await engine.registers.put(RECEIVERS, { key: id, value: tenant, ttlMs: ENTRY_MS, entriesMax: DESTINATIONS_MAX })
}

/** All receivers, also those that only somebody still wants events for; undefined where there may be more than are known. Rejects when the engine refuses. */
export async function knownReceivers(engine: Pick<Engine, 'registers'>): Promise<readonly Receiver[] | undefined> {
  const shown = await engine.registers.list(RECEIVERS, DESTINATIONS_MAX)
  const wanted = await engine.registers.list(INTEREST, DESTINATIONS_MAX)
  if (Math.max(shown.length, wanted.length) >= DESTINATIONS_MAX) return undefined
  const receivers = new Map(wanted.map(({ key, value }) => [key, { id: key, tenant: onlyTenantOf(value) }]))
  for (const { key, value } of shown) receivers.set(key, { id: key, tenant: value === '' ? undefined : value })
  return [...receivers.values()]
}

function onlyTenantOf(text: string): string | undefined {
  const tenants = readWanted(text)?.tenants
  return tenants?.length === 1 ? tenants[0] : undefined
}
