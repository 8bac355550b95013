import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Position, type ServerMessageOf, channelSegment } from '@holdfast/protocol'
import { type Holdfast, type Operation, createHoldfast, signToken } from '@holdfast/server'
import { eventually } from '../kit/deadline.js'
import { seedOfThisRun } from '../kit/seeded-random.js'
import { SECRET } from '../kit/server-process.js'
import { WireClient } from '../kit/wire-client.js'
import { type Neighbours, neighbours } from './generated-tenants.js'

const CASES = 60
const SEED = seedOfThisRun()
const ROOM = { publish: 'member', presence: true, history: { size: 100, ttl: '1h' } } as const
const CONNECTIONS_PER_USER = 4
/** Stands in everything that the first tenant says, and in nothing else. */
const MARK = 'ONLY-FOR-MINE'

type Welcome = ServerMessageOf<'welcome'>

/** A node, a tenant with something of every kind, and a connection of the other. */
interface World {
  readonly names: Neighbours
  readonly node: Holdfast
  readonly url: string
  readonly mine: WireClient
  readonly myWelcome: Welcome
  /** A session of mine whose connection has ended. */
  readonly mySaved: Welcome
  readonly myPosition: Position
  readonly myOperation: Operation
  readonly theirs: WireClient
  /** Every connection that the other tenant opened. */
  readonly trespassers: WireClient[]
}

describe('a tenant', () => {
  it(`reaches nothing of another by any name, position, session or operation id (${CASES} cases, seed ${SEED})`, async () => {
    process.stdout.write(`\ntenants: HOLDFAST_TEST_SEED=${SEED}\n`)
    let commands = 0
    const property = fc.asyncProperty(neighbours, async (names) => {
      const world = await furnish(names)
      try {
        for (const trespass of TRESPASSES) await trespass(world)
        await live(world)
        await expectNothingLeaked(world)
        await expectNothingTouched(world)
        commands += world.trespassers.length
      } finally {
        await world.node.close()
      }
    })
    await fc.assert(property, { numRuns: CASES, seed: SEED })
    process.stdout.write(
      `tenants: ${CASES} pairs, ${TRESPASSES.length} ways in, ${commands} connections of the other\n`,
    )
  }, 120_000)
})

async function furnish(names: Neighbours): Promise<World> {
  const node = createHoldfast({
    auth: { secret: SECRET },
    channels: {
      'room:**': ROOM,
      'aroom:**': ROOM,
      'user:{user}': { history: { size: 100, ttl: '1h' }, inbox: true },
    },
    presence: { graceMs: 0, coalesceMs: 0, sampleMax: 100 },
    operations: { conflateMs: 0 },
    limits: { connectionsPerUserMax: CONNECTIONS_PER_USER },
  })
  const { url } = await node.listen()
  const { operation, key, mine: me } = names
  const { channel } = me
  const leaving = await WireClient.welcomed(url, { token: tokenOf(me) })
  await leaving.get('ok', { type: 'state', data: `${MARK} saved` })
  await leaving.get('subscribed', { type: 'subscribe', channel })
  const mySaved = await leaving.welcome()
  await leaving.close()
  const mine = await WireClient.welcomed(url, { token: tokenOf(me) })
  await mine.get('ok', { type: 'state', data: `${MARK} live` })
  await mine.get('subscribed', { type: 'subscribe', channel, presence: { info: MARK } })
  const { epoch = '', offset = 0, messageId = '' } = await mine.get('ok', publish(channel, `${MARK} keyed`, key))
  await node.tenant(me.tenant).notify(me.user, { title: MARK })
  const myOperation = await node.tenant(me.tenant).operations.start({
    id: operation,
    kind: 'work',
    label: MARK,
    owner: me.user,
    sharedWith: [names.theirs.user],
  })
  const theirs = await WireClient.welcomed(url, { token: tokenOf(names.theirs) })
  const myWelcome = await mine.welcome()
  const myPosition = { epoch, offset: offset - 1, id: messageId }
  const trespassers = [theirs]
  return { names, node, url, mine, myWelcome, mySaved, myPosition, myOperation, theirs, trespassers }
}

/** Everything that the other tenant does to get in. Each leaves what it was told in the frames of its connection. */
const TRESPASSES: readonly ((world: World) => Promise<void>)[] = [
  async function subscribesFromMyPosition({
    theirs,
    names: {
      theirs: { channel },
    },
    myPosition,
  }) {
    const answer = await theirs.get('subscribed', { type: 'subscribe', channel, since: myPosition, presence: true })
    expect(answer.recovered).toBe('gap')
    expect(answer.messages).toEqual([])
  },
  async function subscribesFromTheNewest({
    theirs,
    names: {
      theirs: { channel },
    },
  }) {
    const answer = await theirs.get('subscribed', { type: 'subscribe', channel, since: 'newest:1000', presence: true })
    expect(answer.messages).toEqual([])
    expect(answer.counts).toEqual({ members: 1, connections: 1 })
  },
  async function readsHistory({
    theirs,
    names: {
      theirs: { channel },
    },
    myPosition,
  }) {
    const before = { ...myPosition, offset: 1_000 }
    for (const range of [{}, { since: myPosition }, { before }]) {
      const answer = await theirs.get('ok', { type: 'history', channel, limit: 1_000, ...range })
      expect(answer.messages).toEqual([])
    }
  },
  async function looksWhoIsThere({ theirs, names }) {
    const answer = await theirs.get('ok', { type: 'presence', channel: names.theirs.channel })
    expect(answer.members).toEqual([{ user: names.theirs.user, connections: 1 }])
    expect(answer.counts).toEqual({ members: 1, connections: 1 })
  },
  async function publishesUnderTheSameKey({
    theirs,
    names: {
      theirs: { channel },
      key,
    },
  }) {
    const answer = await theirs.get('ok', publish(channel, 'theirs', key))
    expect(answer).toMatchObject({ offset: 1, duplicate: false })
  },
  async function signals({
    theirs,
    names: {
      theirs: { channel },
    },
  }) {
    theirs.send({ type: 'signal', channel, event: 'typing', data: { active: true } })
  },
  async function replacesState({ theirs }) {
    await theirs.get('ok', { type: 'state', data: 'theirs' })
  },
  async function readsAndAcknowledgesTheInbox({ theirs, names }) {
    const channel = theirs.of('subscribed')[0]?.channel ?? ''
    expect(channel).toMatch(/^user:/)
    expect(theirs.of('subscribed')[0]?.messages).toEqual([])
    await theirs.get('ok', { type: 'ack', channel, offset: 1_000 })
    if (names.mine.user === names.theirs.user) return
    await theirs.get('error', { type: 'subscribe', channel: `user:${channelSegment(names.mine.user)}` })
  },
  async function watchesTheOperation({ theirs, names: { operation } }) {
    const answer = await theirs.get('error', { type: 'subscribe', channel: `operation:${operation}` })
    const absent = await theirs.get('error', { type: 'subscribe', channel: 'operation:there-is-none' })
    expect(answer).toEqual({ ...absent, id: answer.id })
  },
  async function cancelsTheOperation({ theirs, names: { operation } }) {
    const answer = await theirs.get('error', { type: 'cancel', operation })
    const absent = await theirs.get('error', { type: 'cancel', operation: 'there-is-none' })
    expect(answer).toEqual({ ...absent, id: answer.id })
  },
  async function opensTheAddressOfTheOperation(world) {
    const url = `${world.url}/operations/${world.names.operation}`
    const client = await enter(world, url, {})
    expect(await client.ended).toEqual({ code: 1008, reason: 'Not allowed' })
  },
  async function opensTheAddressOfTheChannel(world) {
    const client = await enter(world, `${world.url}?channel=${encodeURIComponent(world.names.theirs.channel)}`, {})
    const answer = await eventually('a verdict', () =>
      client.of('subscribed').find(({ channel }) => channel === world.names.theirs.channel),
    )
    expect(answer.messages).toEqual([])
    await client.close()
  },
  async function resumesMyLiveSession(world) {
    await expectNoResume(world, world.myWelcome)
  },
  async function resumesMySavedSession(world) {
    await expectNoResume(world, world.mySaved)
  },
  async function takesEveryPlace(world) {
    const taken: WireClient[] = []
    await settled(world)
    while (taken.length < CONNECTIONS_PER_USER - 1) taken.push(await enter(world, world.url, {}))
    await expect(enter(world, world.url, {})).rejects.toThrow('1008 Connection limit exceeded')
    const mine = await WireClient.welcomed(world.url, { token: tokenOf(world.names.mine) })
    await mine.close()
    for (const client of taken) await client.close()
    await settled(world)
  },
  async function refreshesWithMyToken({ theirs, names }) {
    const answer = await theirs.get('error', { type: 'refresh', token: tokenOf(names.mine) })
    expect(answer.code).toBe('permission_denied')
  },
  async function callsAMethod({ node, theirs, names }) {
    const undo = node.method('whose', { handler: (_data, { tenant }) => tenant })
    expect(await theirs.get('ok', { type: 'call', method: 'whose' })).toMatchObject({ data: names.theirs.tenant })
    undo()
  },
  async function asksTheApplicationFacade({ node, names, myPosition }) {
    const facade = node.tenant(names.theirs.tenant)
    expect(await facade.operations.get(names.operation)).toBeUndefined()
    expect(await facade.operations.cancel(names.operation)).toBe(false)
    expect(JSON.stringify(await facade.history(names.theirs.channel, { since: myPosition }))).not.toContain(MARK)
    expect(JSON.stringify(await facade.history(names.theirs.channel))).not.toContain(MARK)
    expect((await facade.presence(names.theirs.channel)).counts).toEqual({ members: 1, connections: 1 })
  },
]

/** Waits until the node has let go of every connection that was closed: the two that stay are mine and theirs. */
async function settled({ node }: World): Promise<void> {
  await eventually('the node has let the others go', () => node.stats().connections === 2)
}

async function expectNoResume(world: World, welcome: Welcome): Promise<void> {
  const { id, secret } = welcome.session
  const positions = { [world.names.theirs.channel]: world.myPosition }
  const client = await enter(world, world.url, { resume: { session: id, secret, positions } })
  const { session, state, channels } = await client.welcome()
  expect(session.resumed).toBe(false)
  expect(session.id).not.toBe(id)
  expect(state).toBeUndefined()
  expect(channels.filter((channel) => !channel.startsWith('user:'))).toEqual([])
  await client.close()
}

async function enter(world: World, url: string, hello: object): Promise<WireClient> {
  const client = await WireClient.welcomed(url, { token: tokenOf(world.names.theirs), ...hello })
  world.trespassers.push(client)
  return client
}

/** While the other listens, my tenant goes on: messages, signals, members, notifications, progress. */
async function live({ node, url, names, mine, myOperation }: World): Promise<void> {
  const { mine: me } = names
  const { channel } = me
  const facade = node.tenant(me.tenant)
  const friend = await WireClient.welcomed(url, { token: tokenOf({ tenant: me.tenant, user: `${MARK} friend` }) })
  await friend.get('subscribed', { type: 'subscribe', channel, presence: { info: MARK } })
  await friend.get('ok', publish(channel, `${MARK} live`))
  friend.send({ type: 'signal', channel, event: 'typing', data: MARK })
  await facade.publish(channel, 'message', `${MARK} from the application`)
  await facade.notify(me.user, { title: `${MARK} again` })
  myOperation.report({ message: MARK })
  await friend.close()
  await eventually('my tenant hears all of it', () => mine.of('signal')[0] && mine.of('left')[0])
}

async function expectNothingLeaked({
  trespassers,
  theirs,
  names,
  myWelcome,
  mySaved,
  myPosition,
}: World): Promise<void> {
  // Whatever was on its way to them has come before the answer does.
  await theirs.get('pong', { type: 'ping' })
  const secrets = [
    MARK,
    myPosition.epoch,
    myWelcome.connection,
    ...[myWelcome, mySaved].flatMap(({ session }) => [session.id, session.secret]),
  ]
  const told = trespassers.flatMap(({ frames }) => frames).join('\n')
  expect(secrets.filter((secret) => told.includes(secret))).toEqual([])
  expect(trespassers.flatMap((client) => client.of('message').map(({ data }) => data))).toEqual(['theirs'])
  expect(trespassers.flatMap((client) => client.of('welcome').map(({ tenant }) => tenant))).toEqual(
    trespassers.map(() => names.theirs.tenant),
  )
}

/** What the other did has changed nothing here, and what it was refused is there for whom it belongs to. */
async function expectNothingTouched(world: World): Promise<void> {
  const { node, url, names, mine, mySaved, myOperation } = world
  const { key, operation, mine: me } = names
  const { channel } = me
  expect(mine.frames.join('\n')).not.toContain('theirs')
  expect(mine.of('signal').map(({ data }) => data)).toEqual([MARK])
  expect(await mine.get('ok', publish(channel, `${MARK} keyed`, key))).toMatchObject({ offset: 1, duplicate: true })
  const history = await mine.get('ok', { type: 'history', channel })
  expect(history.messages?.map(({ offset }) => offset)).toEqual([1, 2, 3])
  const { counts } = await mine.get('ok', { type: 'presence', channel })
  expect(counts).toEqual({ members: 1, connections: 1 })
  expect(myOperation.signal.aborted).toBe(false)
  expect((await node.tenant(me.tenant).operations.get(operation))?.state).toBe('running')
  await settled(world)
  expect(await node.tenant(names.theirs.tenant).disconnect(names.theirs.user)).toBe(1)
  const { id, secret } = mySaved.session
  const resume = { session: id, secret, positions: {} }
  const resumed = await WireClient.welcomed(url, { token: tokenOf(me), resume })
  expect(await resumed.welcome()).toMatchObject({ session: { id, resumed: true }, state: `${MARK} saved` })
  const inbox = await eventually('my inbox', () =>
    resumed.of('subscribed').find((one) => one.channel.startsWith('user:')),
  )
  expect(inbox.messages).toHaveLength(2)
  await mine.get('pong', { type: 'ping' })
  await resumed.close()
  await mine.close()
}

function publish(channel: string, data: string, key?: string): { type: 'publish'; channel: string; data: string } {
  return { type: 'publish', channel, data, ...(key !== undefined && { key }) }
}

function tokenOf({ tenant, user }: { tenant: string; user: string }): string {
  return signToken({ secret: SECRET, tenant, user, ttlSeconds: 3_600 })
}
