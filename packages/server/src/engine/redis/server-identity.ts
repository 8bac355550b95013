import { EngineUnavailableError } from '../unavailable.js'
import type { Commands } from './shard.js'

/** What a server says of the data that it holds. */
export interface ServerIdentity {
  /** Another one after each restart and after each change of the master: only while it stays the same, nothing can have gone back. */
  readonly text: string
  /** Whether what it holds is what this very server had written before it ended: it has an append-only file, and its data came from no other server. */
  readonly isItsOwn: boolean
}

/**
 * Asks a server who it is.
 *
 * @throws EngineUnavailableError when it is not a master.
 */
export async function readIdentity(line: Commands): Promise<ServerIdentity> {
  const fields = new Map<string, string>()
  // One section each: several in one command are understood by newer servers only.
  for (const info of await Promise.all(
    ['server', 'replication', 'persistence'].map((name) => line.send(['INFO', name])),
  ))
    for (const [name, value] of fieldsOf(typeof info === 'string' ? info : '')) fields.set(name, value)
  if (fields.get('role') !== 'master')
    throw new EngineUnavailableError(`the server is no master: its role is ${fields.get('role') ?? 'unknown'}`)
  // A server that was a replica meanwhile has the same run id and other data; its replication id tells.
  const text = `${fields.get('run_id') ?? ''}.${fields.get('master_replid') ?? ''}`
  return { text, isItsOwn: fields.get('aof_enabled') === '1' && !/[1-9a-f]/.test(fields.get('master_replid2') ?? '') }
}

function* fieldsOf(info: string): Iterable<readonly [string, string]> {
  for (const line of info.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) yield [line.slice(0, colon), line.slice(colon + 1)]
  }
}
