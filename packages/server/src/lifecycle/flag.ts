import type { Engine } from '../engine/engine.js'
import { DIRTY_TENANTS, ENTRY_MS, TENANTS_MAX } from './places.js'

/** Who has raised the flag of a tenant: somebody who has marked a change, or somebody who looks and does not know yet whether marks are left. */
export type FlagReason = 'marked' | 'unsure'

/** Has the changes of a tenant looked at. Rejects when the engine refuses, or has too many tenants. */
export async function flag(engine: Pick<Engine, 'registers'>, tenant: string, reason: FlagReason): Promise<void> {
  const request = { key: flagKey(tenant, reason), ttlMs: ENTRY_MS, entriesMax: TENANTS_MAX * 2 }
  if ((await engine.registers.put(DIRTY_TENANTS, request)) === undefined)
    throw new Error('changes of more tenants than can be kept wait to be told')
}

/** The key of a flag. */
export function flagKey(tenant: string, reason: FlagReason): string {
  return `${reason} ${tenant}`
}

/** The tenant whose flag has this key. */
export function flaggedTenant(key: string): string {
  return key.slice(key.indexOf(' ') + 1)
}
