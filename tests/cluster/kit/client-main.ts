import { Holdfast } from '@holdfast/client'
import { signToken } from '@holdfast/server'
import type { WebSocket } from 'ws'
import { eventually, pause } from '../../kit/deadline.js'
import { SeededRandom } from '../../kit/seeded-random.js'
import { SECRET } from '../../kit/server-process.js'
import type { ClientFigures, ClientGroup, ClientQuestions, ClientWish } from './client-questions.js'
import type { Place, Present, Where } from './facts.js'
import { History } from './history.js'
import { RunningLoad } from './load.js'
import { Publisher } from './publisher.js'
import { answerQuestions } from './questions.js'
import { Reader } from './reader.js'
import { roamingSocket } from './roaming-socket.js'
import { Watcher } from './watcher.js'

// Clients by the hundred in one process, each with a connection of its own to one of the nodes.

interface Member {
  readonly name: string
  readonly tenant: string
  readonly client: Holdfast
  readonly readers: readonly Reader[]
  /** Those of them that are members as well. */
  readonly present: readonly Reader[]
  readonly watchers: readonly Watcher[]
  /** The newest socket. */
  socket?: WebSocket
}

let urls: readonly string[] = []
let turn = 0
let history: History
let random: SeededRandom
let load: RunningLoad | undefined
const members = new Map<string, Member>()
const publishers = new Map<string, Publisher>()

answerQuestions<ClientQuestions>({
  start: (input) => {
    history = new History(input.history, input.name)
    random = new SeededRandom(input.seed)
    ;({ urls } = input)
    return null
  },
  useNodes: (input) => {
    ;({ urls } = input)
    return null
  },
  connect: async (group) => {
    const begun: Member[] = []
    for (const [index, wish] of group.clients.entries()) {
      begun.push(join(`${group.name}-${index}`, wish, group.options))
      if (group.connectGapMs) await pause(group.connectGapMs)
    }
    await eventually('all clients are subscribed', () => begun.every(isSettled), 60_000)
    return null
  },
  publish: (wanted) => {
    const those = wanted.publishers.map(({ client, channels }) => ({ publisher: publisherNamed(client), channels }))
    load = new RunningLoad(wanted, those, random)
    return null
  },
  stopPublishing: async ({ withinMs }) => {
    load?.stop()
    const isOver = (): boolean => (load?.inFlight ?? 0) === 0
    await eventually('every publish has an outcome', isOver, withinMs).catch(() => load?.giveUp())
    await eventually('every publish has ended', isOver, 30_000)
    return { unknown: load?.unknown ?? 0 }
  },
  behind: ({ tops }) => {
    const late = [
      ...allReaders()
        .filter((reader) => !isAtTop(reader, tops))
        .map(describe),
      ...strangers(),
      ...[...members.values()].flatMap(({ watchers }) => watchers.filter(({ hasEnded }) => !hasEnded).map(String)),
    ]
    return { count: late.length, some: late.slice(0, 10) }
  },
  figures,
  cut: ({ fraction }) => {
    const chosen = [...members.values()].filter(() => random.fraction() < fraction)
    for (const { socket } of chosen) socket?.terminate()
    return chosen.length
  },
  rest: () => {
    for (const reader of allReaders()) reader.rest()
    notePresence()
    history.flush()
    return null
  },
  leave: ({ name }) => {
    const leaving = [...members.values()].filter((member) => member.name.startsWith(name))
    for (const { client, name: gone } of leaving) {
      client.disconnect()
      members.delete(gone)
      history.note({ t: 'gone', client: gone })
    }
    return leaving.length
  },
})

function join(name: string, wish: ClientWish, options: ClientGroup['options']): Member {
  const { tenant, channels, present = [], watches = [] } = wish
  const token = (): string => signToken({ secret: SECRET, tenant, user: name, ttlSeconds: 3_600 })
  const choose = (): string => urls[(turn += 1) % urls.length] ?? ''
  const socket = roamingSocket(choose, (opened) => (member.socket = opened))
  const client = new Holdfast('ws://any-of-the-nodes/ws', { token, WebSocket: socket, connect: false, ...options })
  client.on('state', ({ state, reason }) => history.note({ t: 'state', client: name, state, reason }))
  // What goes wrong is told by what is delivered, or not.
  client.on('error', () => undefined)
  const readerOf = (channel: string): Reader =>
    new Reader({ client: name, tenant, channel }, client.channel(channel), history)
  const joined = present.map(readerOf)
  for (const reader of joined) reader.join()
  const watchers = watches.map((id) => new Watcher(name, tenant, client.operation(id), history))
  const readers = [...channels.map(readerOf), ...joined]
  const member: Member = { name, tenant, client, readers, present: joined, watchers }
  members.set(name, member)
  client.connect()
  return member
}

function figures(): ClientFigures {
  const all = [...members.values()]
  const readers = allReaders()
  const sum = (of: (member: Member) => number): number => all.reduce((total, member) => total + of(member), 0)
  return {
    clients: all.length,
    open: all.filter(({ client }) => client.status === 'open').length,
    subscribed: readers.filter(({ channel }) => channel.status === 'subscribed').length,
    readers: readers.length,
    deliveries: readers.reduce((total, { deliveries }) => total + deliveries, 0),
    gaps: readers.reduce((total, { gaps }) => total + gaps, 0),
    reconnects: sum(({ client }) => client.statistics.reconnects),
    handovers: sum(({ client }) => client.statistics.handovers),
    duplicatesDropped: sum(({ client }) => client.statistics.duplicatesDropped),
    publishesInFlight: load?.inFlight ?? 0,
    publishesAcknowledged: load?.acknowledged ?? 0,
  }
}

function isSettled({ client, readers }: Member): boolean {
  return client.status === 'open' && readers.every(({ channel, at }) => channel.status === 'subscribed' && at)
}

function isAtTop({ who, at, channel }: Reader, tops: readonly (Where & Place)[]): boolean {
  const top = tops.find((one) => one.tenant === who.tenant && one.channel === who.channel)
  if (top === undefined) return true
  return channel.status === 'subscribed' && at?.epoch === top.epoch && at.offset >= top.offset
}

function describe({ who, at, channel }: Reader): string {
  return `${who.client} in ${who.channel}: ${channel.status}, ${at?.epoch}:${at?.offset}`
}

/** Members of each channel in truth: the clients that are open and subscribed to it. */
function live(): { where: Where; readers: Reader[] }[] {
  const channels = new Map<string, { where: Where; readers: Reader[] }>()
  for (const { client, present } of members.values()) {
    if (client.status !== 'open') continue
    for (const reader of present) {
      const { tenant, channel } = reader.who
      const key = `${tenant} ${channel}`
      const one = channels.get(key) ?? { where: { tenant, channel }, readers: [] }
      one.readers.push(reader)
      channels.set(key, one)
    }
  }
  return [...channels.values()]
}

/** Readers that see others in their channel than there are. */
function strangers(): string[] {
  return live().flatMap(({ readers }) =>
    readers
      .filter(({ channel }) => {
        const seen = channel.presence.members
        return seen.size !== readers.length || !readers.every(({ who }) => seen.get(who.client)?.connections === 1)
      })
      .map(
        ({ who, channel }) =>
          `${who.client} in ${who.channel} sees ${channel.presence.members.size} of ${readers.length}`,
      ),
  )
}

/** Who is there in truth, and as each of them sees it. */
function notePresence(): void {
  for (const { where, readers } of live()) {
    const there = readers.map(({ who }): Present => [who.client, 1])
    history.note({ t: 'presence-live', ...where, members: there })
    for (const { who, channel } of readers) {
      const seen = [...channel.presence.members.values()].map(({ user, connections }): Present => [user, connections])
      history.note({ t: 'presence-read', ...where, node: who.client, members: seen })
    }
  }
}

function allReaders(): Reader[] {
  return [...members.values()].flatMap(({ readers }) => readers)
}

/** The same one each time, because it counts what it publishes. */
function publisherNamed(name: string): Publisher {
  const { tenant, client } = memberNamed(name)
  const publisher = publishers.get(name) ?? new Publisher(name, client, tenant, history)
  publishers.set(name, publisher)
  return publisher
}

function memberNamed(name: string): Member {
  const member = members.get(name)
  if (member === undefined) throw new Error(`there is no client ${name}`)
  return member
}
