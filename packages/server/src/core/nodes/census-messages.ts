import { isText, membersOf } from '../members.js'

/** Which channels of a tenant: those whose name begins so, behind `after`, in the order of their names. */
export interface ChannelQuery {
  readonly tenant: string
  readonly prefix: string
  readonly after: string
  readonly limit: number
}

/** A channel that somebody listens to. */
export interface HeardChannel {
  readonly channel: string
  readonly subscribers: number
}

/** Which connections of a tenant: those of a user or of all, behind `after`, in the order of their ids. */
export interface ConnectionQuery {
  readonly tenant: string
  readonly user?: string | undefined
  readonly after: string
  readonly limit: number
}

/** A connection that was welcomed. */
export interface LiveConnection {
  readonly id: string
  readonly user: string
  /** Of the client. */
  readonly address: string
  readonly node: string
  /** Milliseconds since 1970. */
  readonly openedAt: number
  /** Channels that it listens to. */
  readonly channels: number
}

/** How many there are of a tenant on one node. */
export interface TenantCensus {
  readonly node: string
  readonly connections: number
  readonly users: number
  readonly channels: number
  readonly subscriptions: number
}

/** What nodes ask each other about who is there. */
export interface CensusContract {
  readonly 'channels.list': { readonly ask: ChannelQuery; readonly answer: readonly HeardChannel[] }
  readonly 'connections.list': { readonly ask: ConnectionQuery; readonly answer: readonly LiveConnection[] }
  /** Closes one connection; answers how many there were. */
  readonly 'connection.close': {
    readonly ask: { readonly tenant: string; readonly id: string }
    readonly answer: number
  }
  readonly 'tenant.census': { readonly ask: { readonly tenant: string }; readonly answer: TenantCensus }
}

type Reader<T> = (value: unknown) => T | undefined

/** How each message is read: another version of this program may have written it. */
export const CENSUS_READERS: {
  readonly [K in keyof CensusContract]: {
    readonly ask: Reader<CensusContract[K]['ask']>
    readonly answer: Reader<CensusContract[K]['answer']>
  }
} = {
  'channels.list': {
    ask(value) {
      const { tenant, prefix, after, limit } = membersOf(value)
      return isText(tenant) && isText(prefix) && isText(after) && isCount(limit)
        ? { tenant, prefix, after, limit }
        : undefined
    },
    answer: listOf(readChannel),
  },
  'connections.list': {
    ask(value) {
      const { tenant, user, after, limit } = membersOf(value)
      const isRead = isText(tenant) && isText(after) && isCount(limit) && (user === undefined || isText(user))
      return isRead ? { tenant, user, after, limit } : undefined
    },
    answer: listOf(readConnection),
  },
  'connection.close': {
    ask(value) {
      const { tenant, id } = membersOf(value)
      return isText(tenant) && isText(id) ? { tenant, id } : undefined
    },
    answer: (value) => (isCount(value) ? value : undefined),
  },
  'tenant.census': {
    ask(value) {
      const { tenant } = membersOf(value)
      return isText(tenant) ? { tenant } : undefined
    },
    answer(value) {
      const { node, connections, users, channels, subscriptions } = membersOf(value)
      return isText(node) && isCount(connections) && isCount(users) && isCount(channels) && isCount(subscriptions)
        ? { node, connections, users, channels, subscriptions }
        : undefined
    },
  },
}

function listOf<T>(read: Reader<T>): Reader<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) return undefined
    const items = value.map(read)
    return items.some((item) => item === undefined) ? undefined : (items as T[])
  }
}

function readChannel(value: unknown): HeardChannel | undefined {
  const { channel, subscribers } = membersOf(value)
  return isText(channel) && isCount(subscribers) ? { channel, subscribers } : undefined
}

function readConnection(value: unknown): LiveConnection | undefined {
  const { id, user, address, node, openedAt, channels } = membersOf(value)
  const isRead = isText(id) && isText(user) && isText(address) && isText(node) && isCount(openedAt) && isCount(channels)
  return isRead ? { id, user, address, node, openedAt, channels } : undefined
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
