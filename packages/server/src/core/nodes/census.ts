import { CLOSE, type CloseReason } from '@holdfast/protocol'
import type { Identity } from '../../access/identity.js'
import type { Stream } from '../../engine/engine.js'
import type {
  CensusContract,
  ChannelQuery,
  ConnectionQuery,
  HeardChannel,
  LiveConnection,
  TenantCensus,
} from './census-messages.js'
import type { ControlDesk } from './control.js'
import type { Peers } from './peers.js'

/** A connection as a census sees it. */
export interface Counted {
  readonly id: string
  readonly address: string
  readonly isOpen: boolean
  readonly openedAt: number
  readonly identity: Pick<Identity, 'tenant' | 'user'>
  readonly subscriptions: { readonly size: number }
  close(reason: CloseReason): void
}

/** A channel as a census sees it. */
export interface CountedTopic {
  readonly stream: Stream
  /** How many listen. */
  readonly size: number
}

/** What a census works with. */
export interface CensusParts {
  readonly node: string
  readonly control: Pick<ControlDesk, 'on' | 'askAll'>
  readonly peers: Pick<Peers, 'liveNow'>
  readonly topics: () => Iterable<CountedTopic>
  readonly connections: () => Iterable<Counted>
}

/** What all nodes say together. */
export interface Gathered<T> {
  readonly items: readonly T[]
  /** Where the next page begins; undefined at the end. */
  readonly next: string | undefined
  /** Whether a node did not answer within a second, so that what it has is missing. */
  readonly isPartial: boolean
}

/** Who is connected and which channels are heard, on all nodes: each is asked, and what comes within a second counts. */
export class Census {
  readonly #parts: CensusParts

  constructor(parts: CensusParts) {
    this.#parts = parts
    const { control } = parts
    control.on('channels.list', (query) => this.#channelsHere(query))
    control.on('connections.list', (query) => this.#connectionsHere(query))
    control.on('connection.close', ({ tenant, id }) => this.#closeHere(tenant, id))
    control.on('tenant.census', ({ tenant }) => this.#countHere(tenant))
  }

  /** The channels of a tenant that somebody listens to, by name. Rejects when the other nodes cannot be asked. */
  async channels(query: ChannelQuery): Promise<Gathered<HeardChannel>> {
    const { answers, isPartial } = await this.#ask('channels.list', query, this.#channelsHere(query))
    const subscribers = new Map<string, number>()
    for (const { channel, subscribers: more } of answers.flat())
      subscribers.set(channel, (subscribers.get(channel) ?? 0) + more)
    const items = [...subscribers].map(([channel, count]) => ({ channel, subscribers: count }))
    return { ...firstOf(items, ({ channel }) => channel, query.limit), isPartial }
  }

  /** The connections of a tenant, by id. Rejects when the other nodes cannot be asked. */
  async connections(query: ConnectionQuery): Promise<Gathered<LiveConnection>> {
    const { answers, isPartial } = await this.#ask('connections.list', query, this.#connectionsHere(query))
    return { ...firstOf(answers.flat(), ({ id }) => id, query.limit), isPartial }
  }

  /** Closes a connection of a tenant, wherever it is. Rejects when it is not here and the other nodes cannot be asked. */
  async close(tenant: string, id: string): Promise<{ readonly closed: boolean; readonly isPartial: boolean }> {
    if (this.#closeHere(tenant, id) > 0) return { closed: true, isPartial: false }
    const { answers, isPartial } = await this.#ask('connection.close', { tenant, id }, 0)
    return { closed: answers.some((count) => count > 0), isPartial }
  }

  /** How many there are of a tenant, node by node. Rejects when the other nodes cannot be asked. */
  async count(tenant: string): Promise<{ readonly nodes: readonly TenantCensus[]; readonly isPartial: boolean }> {
    const { answers, isPartial } = await this.#ask('tenant.census', { tenant }, this.#countHere(tenant))
    return { nodes: answers, isPartial }
  }

  async #ask<K extends keyof CensusContract>(
    kind: K,
    query: CensusContract[K]['ask'],
    here: CensusContract[K]['answer'],
  ): Promise<{ readonly answers: readonly CensusContract[K]['answer'][]; readonly isPartial: boolean }> {
    const { node, control, peers } = this.#parts
    const others = [...(await peers.liveNow())].filter((other) => other !== node)
    const elsewhere = await control.askAll(others, kind, query)
    return { answers: [here, ...elsewhere], isPartial: elsewhere.length < others.length }
  }

  /** One more than asked for: that there is more shows in it. */
  #channelsHere({ tenant, prefix, after, limit }: ChannelQuery): readonly HeardChannel[] {
    const theirs: HeardChannel[] = []
    for (const { stream, size } of this.#parts.topics()) {
      const { channel } = stream
      if (stream.tenant === tenant && size > 0 && channel > after && channel.startsWith(prefix))
        theirs.push({ channel, subscribers: size })
    }
    return sorted(theirs, ({ channel }) => channel).slice(0, limit + 1)
  }

  #connectionsHere({ tenant, user, after, limit }: ConnectionQuery): readonly LiveConnection[] {
    const theirs = this.#of(tenant).filter(
      ({ id, identity }) => id > after && (user ?? identity.user) === identity.user,
    )
    const first = sorted(theirs, ({ id }) => id).slice(0, limit + 1)
    const { node } = this.#parts
    return first.map(({ id, identity, address, openedAt, subscriptions }) => ({
      id,
      user: identity.user,
      address,
      node,
      openedAt,
      channels: subscriptions.size,
    }))
  }

  #closeHere(tenant: string, id: string): number {
    const found = this.#of(tenant).filter((connection) => connection.id === id)
    for (const connection of found) connection.close(CLOSE.disconnectedByAdministrator)
    return found.length
  }

  #countHere(tenant: string): TenantCensus {
    const connections = this.#of(tenant)
    const topics = [...this.#parts.topics()].filter(({ stream, size }) => stream.tenant === tenant && size > 0)
    return {
      node: this.#parts.node,
      connections: connections.length,
      users: new Set(connections.map(({ identity }) => identity.user)).size,
      channels: topics.length,
      subscriptions: topics.reduce((sum, { size }) => sum + size, 0),
    }
  }

  #of(tenant: string): Counted[] {
    return [...this.#parts.connections()].filter((one) => one.isOpen && one.identity.tenant === tenant)
  }
}

function sorted<T>(items: readonly T[], nameOf: (item: T) => string): readonly T[] {
  return items.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1))
}

function firstOf<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  limit: number,
): Pick<Gathered<T>, 'items' | 'next'> {
  const page = sorted(items, nameOf).slice(0, limit)
  const last = page.at(-1)
  return { items: page, next: items.length > limit && last !== undefined ? nameOf(last) : undefined }
}
