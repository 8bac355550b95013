import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest'
import { HoldfastError, type Tenant } from '@holdfast/server'
import { eventually } from '../kit/deadline.js'
import { AttackedNode, CHANNELS } from './kit/attacked-node.js'
import { attackBeside } from './kit/attack.js'
import { Neighbour } from './kit/neighbour.js'
import { RawSocket } from './kit/raw-socket.js'

const PLAN = {
  connections: 5,
  channels: 40,
  messagesPerSecond: 200,
  bytesPerSecond: 65_536,
  historyBytes: 20_000,
  operations: 20,
}

/** What stays for its time after an attack: what was published, and the channels that were used. */
const STAYS = { except: ['streams', 'registers', 'rates', 'indexes', 'idempotencyKeys'] }

let node: AttackedNode
let neighbour: Neighbour

beforeAll(async () => {
  node = await AttackedNode.start({
    // The slow one is left behind by the slowest machine.
    plans: { small: PLAN, slow: { ...PLAN, messagesPerSecond: 10 } },
    // Each test has a tenant of its own; the neighbour's has no quotas.
    tenants: {
      ...Object.fromEntries(
        ['names', 'crowd', 'worker', 'full', 'fast', 'heavy', 'wide', 'mix'].map((name) => [name, { plan: 'small' }]),
      ),
      restless: { plan: 'slow' },
    },
    channels: { ...CHANNELS, 'archive:*': { publish: 'member', history: { size: 1_000, ttl: '1h' } } },
  })
})
afterAll(() => node.close())

beforeEach(async () => {
  neighbour = await Neighbour.beside(node)
})
afterEach(() => neighbour.leave())

const join = (tenant: string, user = 'mallory'): Promise<RawSocket> =>
  RawSocket.welcomed(node, node.token(user, { tenant }))

/** How often each way of ending came: `fine`, or the code of the error and the quota that it names. */
async function tally(works: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const work of works) {
    const end = await work.then(
      () => 'fine',
      (error: unknown) =>
        error instanceof HoldfastError
          ? `${error.code} ${(error.details as { quota: string }).quota}`
          : `unexpected: ${String(error)}`,
    )
    counts[end] = (counts[end] ?? 0) + 1
  }
  return counts
}

const reached = (tenant: string, rule: string): number =>
  node.log.of('quota.reached', { tenant, rule, audit: true }).reduce((sum, { count }) => sum + Number(count), 0)

/** Resolves when every refusal so far was written down. */
const written = (tenant: string, rule: string, refused: number): Promise<unknown> =>
  eventually(`${refused} refusals are told`, () => reached(tenant, rule) === refused)

const publishes = (tenant: Tenant, count: number, characters: number, channel = 'archive:1'): Promise<unknown>[] =>
  Array.from({ length: count }, () => tenant.publish(channel, 'flood', 'x'.repeat(characters)))

describe('quotas of a tenant', () => {
  it('T-073 channels with ever new names end at the quota of the tenant, whoever asks for them', async () => {
    await attackBeside(
      neighbour,
      node,
      async () => {
        const sockets = [await join('names', 'one'), await join('names', 'other')]
        const third = await join('names', 'third')
        // Each has its inbox already.
        const refusals = 120 - (PLAN.channels - 3)
        for (const [at, socket] of sockets.entries())
          for (let n = 0; n < 60; n += 1) socket.say({ type: 'subscribe', id: n + 1, channel: `live:${at}-${n}` })
        await Promise.all(sockets.map((socket) => socket.message('subscribed')))
        await eventually('each has an answer', () => sockets.every(({ messages }) => messages.length >= 62))
        const all = sockets.flatMap(({ messages }) => messages)
        const refused = all.filter(({ type }) => type === 'error')
        expect(all.filter(({ type }) => type === 'subscribed')).toHaveLength(PLAN.channels - 1)
        expect(refused).toHaveLength(refusals)
        for (const error of refused) {
          expect(error['code']).toBe('limit_exceeded')
          expect(String(error['message'])).toContain('channels')
        }
        // One that is in use already costs nothing more.
        const known = all.find(({ id, type }) => type === 'subscribed' && id === 1)
        third.say({ type: 'subscribe', id: 1, channel: String(known?.['channel']) })
        await third.message('subscribed', { id: 1 })
        expect(await node.holdfast.tenant('names').usage()).toMatchObject({ channels: PLAN.channels, connections: 3 })
        await written('names', 'channels', refusals)
        for (const socket of [...sockets, third]) socket.destroy()
      },
      STAYS,
    )
  })

  it('T-073 history under ever new names ends at the quota, and what listens goes on', async () => {
    const tenant = node.holdfast.tenant('wide')
    const works = Array.from({ length: 100 }, (_, n) => tenant.publish(`room:${n}`, 'e', 1))
    expect(await tally(works)).toEqual({ fine: PLAN.channels, 'limit_exceeded channels': 100 - PLAN.channels })
    // Where nothing is stored and nobody listens, nothing is held.
    expect(await tally(Array.from({ length: 50 }, (_, n) => tenant.publish(`live:${n}`, 'e', 1)))).toEqual({ fine: 50 })
    await tenant.publish('room:0', 'e', 2)
    await neighbour.isWell()
  })

  it('T-078 a tenant has as many connections as its quota, and others do not notice', async () => {
    await attackBeside(
      neighbour,
      node,
      async () => {
        const users = Array.from({ length: PLAN.connections }, (_, n) => `user ${n}`)
        const sockets = await Promise.all(users.map((user) => join('crowd', user)))
        const more = await RawSocket.upgraded(node)
        more.say({ type: 'hello', token: node.token('one more', { tenant: 'crowd' }) })
        expect(await more.ended()).toEqual({ code: 1008, reason: 'Connection limit exceeded' })
        const elsewhere = await join('acme', 'one more')
        expect(await node.holdfast.tenant('crowd').usage()).toMatchObject({ connections: PLAN.connections })
        sockets[0]?.destroy()
        await eventually('there is room again', async () => {
          const usage = await node.holdfast.tenant('crowd').usage()
          return usage.connections === PLAN.connections - 1
        })
        sockets.push(await join('crowd', 'one more'), elsewhere)
        await written('crowd', 'connections', 1)
        for (const socket of sockets) socket.destroy()
      },
      STAYS,
    )
  })

  it('T-121 a flood of operations runs as many as the quota, and the next when one has ended', async () => {
    const tenant = node.holdfast.tenant('worker')
    await attackBeside(
      neighbour,
      node,
      async () => {
        const begun: { complete(result: unknown): Promise<void> }[] = []
        const starts = Array.from({ length: 150 }, async () => {
          begun.push(await tenant.operations.start({ kind: 'import', owner: 'mallory' }))
        })
        expect(await tally(starts)).toEqual({
          fine: PLAN.operations,
          'limit_exceeded operations': 150 - PLAN.operations,
        })
        expect(node.holdfast.stats().operations).toBe(PLAN.operations)
        expect(await tenant.usage()).toMatchObject({ operations: PLAN.operations, quotas: PLAN })
        await begun.pop()?.complete('done')
        begun.push(await tenant.operations.start({ kind: 'import', owner: 'mallory' }))
        await written('worker', 'operations', 150 - PLAN.operations)
        for (const operation of begun) await operation.complete('done')
        expect(await tenant.usage()).toMatchObject({ operations: 0 })
      },
      STAYS,
    )
  })

  it('T-121 operations that begin and end at once are messages of their tenant', async () => {
    const tenant = node.holdfast.tenant('restless')
    const works: Promise<unknown>[] = []
    for (let n = 0; n < 600; n += 1) {
      works.push(tenant.operations.run({ kind: 'import', owner: 'mallory' }, () => n))
      if (n % 10 === 9) await Promise.allSettled(works.slice(-10))
    }
    const { fine = 0, 'rate_limited messagesPerSecond': slowed = 0 } = await tally(works)
    expect(fine).toBeGreaterThan(0)
    expect(slowed).toBeGreaterThan(0)
    expect(fine + slowed).toBe(600)
    expect(node.holdfast.stats().operations).toBe(0)
    await neighbour.isWell()
  })

  it('T-083 a tenant that fills its histories is refused more, and trims nobody else', async () => {
    const { log, holdfast } = node
    await attackBeside(
      neighbour,
      node,
      async () => {
        const tenant = holdfast.tenant('full')
        const before = neighbour.arrived
        await eventually('its quota is used up', async () => {
          await Promise.allSettled(publishes(tenant, 3, 2_000))
          return reached('full', 'historyBytes') > 0
        })
        expect(await tally(publishes(tenant, 50, 2_000))).toEqual({ 'limit_exceeded historyBytes': 50 })
        expect(await tally([tenant.publish('live:1', 'e', 'x')])).toEqual({ fine: 1 })
        const usage = await tenant.usage()
        expect(usage.historyBytes).toBeGreaterThanOrEqual(PLAN.historyBytes - 2_000)
        // What was under way may pass it.
        expect(usage.historyBytes).toBeLessThan(PLAN.historyBytes * 2)
        await neighbour.isWell()
        const { messages } = await holdfast.tenant('acme').history('neighbour:neighbour', { limit: 1_000 })
        expect(messages.length).toBeGreaterThanOrEqual(neighbour.arrived - before)
        expect(messages.map(({ offset }) => offset)).toEqual(messages.map((_, at) => (messages[0]?.offset ?? 0) + at))
        expect(log.text).not.toContain('xxxx')
      },
      STAYS,
    )
  })

  it('T-083 has room again when its histories have gone', async () => {
    const tenant = node.holdfast.tenant('mix')
    await eventually('its quota is used up', async () => {
      await Promise.allSettled(publishes(tenant, 3, 2_000, 'room:brief'))
      return reached('mix', 'historyBytes') > 0
    })
    await eventually('there is room', () =>
      tenant.publish('room:brief', 'e', 1).then(
        () => true,
        () => false,
      ),
    )
    expect((await tenant.usage()).historyBytes).toBeLessThan(PLAN.historyBytes)
    await neighbour.isWell()
  })

  it('T-082 a tenant that publishes too fast is told when to go on, and goes on then', async () => {
    await attackBeside(
      neighbour,
      node,
      async () => {
        const socket = await join('fast')
        for (let n = 0; n < 400; n += 1) socket.say({ type: 'publish', id: n + 1, channel: 'live:1', data: n })
        await eventually('each has an answer', () => socket.messages.length >= 401)
        const refused = socket.messages.filter(({ type }) => type === 'error')
        expect(refused.length).toBeGreaterThan(100)
        for (const error of refused) {
          expect(error).toMatchObject({ code: 'rate_limited', retryable: true })
          expect(error['retryAfter']).toBeGreaterThan(0)
          expect(error['retryAfter']).toBeLessThan(2_000)
        }
        await eventually('it may go on', async () => {
          const id = 1_000 + socket.messages.length
          socket.say({ type: 'publish', id, channel: 'live:1', data: 1 })
          return eventually('an answer', () => socket.messages.find((message) => message['id'] === id)).then(
            ({ type }) => type === 'ok',
          )
        })
        const { messagesPerSecond, quotas } = await node.holdfast.tenant('fast').usage()
        expect(messagesPerSecond).toBeGreaterThan(0)
        expect(messagesPerSecond).toBeLessThanOrEqual(PLAN.messagesPerSecond * 2)
        expect(quotas).toEqual(PLAN)
        expect(reached('fast', 'messagesPerSecond')).toBeGreaterThan(0)
        socket.destroy()
        // Another one: of this one's messages there may be none left.
        expect(await tally(publishes(node.holdfast.tenant('heavy'), 3, 60_000, 'live:1'))).toMatchObject({
          'rate_limited bytesPerSecond': 2,
        })
      },
      STAYS,
    )
  })

  it('cost the neighbour no time: its messages come as fast as without the noise', async () => {
    const loud = await join('fast', 'loud')
    const until = performance.now() + 1_500
    let id = 0
    while (performance.now() < until) {
      for (let n = 0; n < 20; n += 1) loud.say({ type: 'publish', id: (id += 1), channel: 'live:2', data: 'noise' })
      await new Promise((resolve) => {
        setTimeout(resolve, 20)
      })
    }
    await neighbour.isWell({ lagMsMax: 500 })
    loud.destroy()
    expect(node.holdfast.stats().quotas.refused.messagesPerSecond).toBeGreaterThan(0)
  })

  it('are not counted where there are none', async () => {
    const usage = await node.holdfast.tenant('acme').usage()
    expect(Object.values(usage.quotas).every((max) => max === undefined)).toBe(true)
    expect(usage).toMatchObject({ channels: undefined, messagesPerSecond: undefined, historyBytes: undefined })
  })
})
