import { EngineUnavailableError } from '../unavailable.js'
import type { RedisConnection } from './connector.js'
import type { Seeds } from './seeds.js'
import type { Address, Shard, Topology } from './shard.js'
import { SLOTS, slotOf } from './slot.js'

/** A master with its replicas, as a cluster names them. */
interface Group {
  readonly master: Address
  /** Ids of all its nodes, the master's first. */
  readonly nodes: readonly string[]
  readonly slots: (readonly [from: number, to: number])[]
}

/** The shards of a Redis Cluster. */
export class ClusterTopology implements Topology {
  readonly #seeds: Seeds
  readonly #listeners = new Set<() => void>()
  #shards: readonly Shard[] = []
  /** The nodes of each shard when it was last looked at: a shard is the same for as long as one of them stays. */
  #members = new Map<string, readonly string[]>()
  #bySlot: readonly (Shard | undefined)[] = []
  #running: Promise<void> | undefined

  constructor(seeds: Seeds) {
    this.#seeds = seeds
  }

  shards(): readonly Shard[] {
    return this.#shards
  }

  shardOf(key: string): Shard | undefined {
    return this.#bySlot[slotOf(key)]
  }

  refresh(): Promise<void> {
    this.#running ??= this.#find().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #find(): Promise<void> {
    const groups = await this.#seeds.ask(groupsOf)
    const known = new Map(this.#members)
    const shards: Shard[] = []
    const members = new Map<string, readonly string[]>()
    const bySlot = Array.from<Shard | undefined>({ length: SLOTS })
    for (const group of groups) {
      const id = idOf(group, known)
      const shard = { id, address: group.master }
      known.delete(id)
      shards.push(shard)
      members.set(id, group.nodes)
      for (const [from, to] of group.slots) for (let slot = from; slot <= to; slot += 1) bySlot[slot] = shard
    }
    this.#shards = shards
    this.#members = members
    this.#bySlot = bySlot
    for (const listener of this.#listeners) listener()
  }
}

/** The id under which a shard with some of these nodes was known, or a new one. */
function idOf(group: Group, known: ReadonlyMap<string, readonly string[]>): string {
  for (const [id, nodes] of known) if (nodes.some((node) => group.nodes.includes(node))) return id
  return group.nodes[0] ?? `${group.master.host}:${group.master.port}`
}

// CLUSTER SLOTS rather than CLUSTER SHARDS: the same answer from every version, and from Valkey.
async function groupsOf(connection: RedisConnection, seed: Address): Promise<readonly Group[]> {
  const answer = await connection.sendCommand(['CLUSTER', 'SLOTS'])
  const groups = new Map<string, Group>()
  for (const range of Array.isArray(answer) ? (answer as unknown[]) : []) {
    const [from, to, ...nodes] = range as [number, number, ...[string | null, number, string][]]
    const [host, port, id] = nodes[0] ?? []
    if (port === undefined || id === undefined) throw new Error('names a slot without a server')
    const group = groups.get(id) ?? {
      master: { host: host || seed.host, port },
      nodes: nodes.map((node) => node[2]),
      slots: [],
    }
    group.slots.push([from, to])
    groups.set(id, group)
  }
  if (groups.size === 0) throw new EngineUnavailableError('knows of no server that holds a slot')
  return [...groups.values()]
}
