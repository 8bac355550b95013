import { channelSegment } from '@holdfast/protocol'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHoldfast, type Holdfast } from './holdfast.js'
import { MemoryEngine } from './engine/memory/memory-engine.js'
import { TEST_SECRET, type TestNode, startNode } from './testing/test-node.js'

let node: TestNode

beforeEach(async () => {
  node = await startNode()
})
afterEach(() => node.close())

const acme = (): ReturnType<Holdfast['tenant']> => node.holdfast.tenant('acme')

describe('the handle of a user', () => {
  it('publishes, signals and notifies in the inbox of the user, and reads it', async () => {
    const ada = await node.join('ada')
    const bob = await node.join('bob')
    await Promise.all([ada, bob].map((client) => client.next('subscribed')))
    const user = acme().user('ada')
    await user.publish('welcome', { text: 'hello' }, { key: 'once' })
    expect(await user.publish('welcome', { text: 'hello' }, { key: 'once' })).toMatchObject({ duplicate: true })
    await user.notify({ title: 'Done' })
    await user.signal('ping', 1)
    expect(await ada.next('signal')).toMatchObject({ channel: 'user:ada', event: 'ping' })
    expect(ada.received.filter(({ type }) => type === 'message')).toMatchObject([
      { channel: 'user:ada', event: 'welcome', from: { system: true } },
      { channel: 'user:ada', event: 'notification' },
    ])
    expect((await user.history()).messages).toMatchObject([{ event: 'welcome' }, { event: 'notification' }])
    await acme().user('bob').signal('ping', 2)
    await bob.next('signal')
    expect(bob.received.filter(({ type }) => type === 'message')).toEqual([])
  })

  it('disconnects the user, and nobody else', async () => {
    const [ada, bob] = [await node.join('ada'), await node.join('bob')]
    expect(await acme().user('ada').disconnect()).toBe(1)
    expect(await ada.closed).toEqual({ code: 1008, reason: 'Disconnected by administrator' })
    expect(await bob.request({ type: 'ping' })).toMatchObject({ type: 'pong' })
  })

  it('begins operations of the user, whatever the specification says, and shares them with nobody', async () => {
    const posing = { kind: 'import', owner: 'bob', sharedWith: ['bob'] }
    const operation = await acme().user('ada').operations.start(posing)
    expect(operation.snapshot).toMatchObject({ owner: 'ada', tenant: 'acme' })
    const bob = await node.join('bob')
    expect(await bob.request({ type: 'subscribe', channel: `operation:${operation.id}` })).toMatchObject({
      type: 'error',
    })
    await operation.complete()
    const run = await acme()
      .user('ada')
      .operations.run({ kind: 'report' }, (one) => one.snapshot.owner)
    expect(run).toBe('ada')
  })

  it('finds and cancels the operations of the user, and none of another user or tenant', async () => {
    const theirs = await acme().user('bob').operations.start({ id: 'job-1', kind: 'import' })
    const foreign = await node.holdfast.tenant('other').user('ada').operations.start({ id: 'job-2', kind: 'import' })
    const own = await acme().user('ada').operations.start({ id: 'job-3', kind: 'import' })
    const { operations } = acme().user('ada')
    expect(await Promise.all(['job-1', 'job-2', 'no-job', ''].map((id) => operations.get(id)))).toEqual(
      Array.from({ length: 4 }, () => undefined),
    )
    expect(await Promise.all(['job-1', 'job-2', 'no-job'].map((id) => operations.cancel(id)))).toEqual([
      false,
      false,
      false,
    ])
    expect([theirs.signal.aborted, foreign.signal.aborted]).toEqual([false, false])
    expect(await operations.get('job-3')).toMatchObject({ id: 'job-3', owner: 'ada' })
    expect(await operations.cancel('job-3')).toBe(true)
    expect(own.signal.aborted).toBe(true)
    await Promise.all([theirs.complete(), foreign.complete(), own.cancelled()])
    expect(await operations.cancel('job-3')).toBe(false)
    await expect(acme().user('bob').operations.start({ id: 'job-3', kind: 'import' })).rejects.toThrow()
  })

  it('makes channel tokens for as long as they may live, where the node has a secret for them', async () => {
    const ada = acme().user('ada')
    expect(ada.channelToken('room:1').split('.')).toHaveLength(3)
    for (const ttl of ['2h', 0, 999, 'soon'])
      expect(() => ada.channelToken('room:1', { ttl })).toThrow('ttlSeconds must be an integer from 1 to 3600')
    expect(() => ada.channelToken('room:*')).toThrow('channel must be')
    const bare = createHoldfast({ auth: { authenticate: () => ({ failure: 'invalid', detail: '' }) } })
    expect(() => bare.tenant('acme').user('ada').channelToken('room:1')).toThrow('channel tokens need')
    const own = createHoldfast({
      auth: { authenticate: () => ({ failure: 'invalid', detail: '' }) },
      channelTokens: { secret: TEST_SECRET },
    })
    expect(own.tenant('acme').user('ada').channelToken('room:1')).toBeTruthy()
    await Promise.all([bare.close(), own.close()])
  })

  it.each(['', 'a\nb', '\ud800', 'x'.repeat(129), 7 as unknown as string])('is not made for %j', (user) => {
    expect(() => acme().user(user)).toThrow(RangeError)
  })
})

describe('whatever the names of two users are', () => {
  const nasty = fc.oneof(
    fc.constantFrom(
      'a',
      'b',
      'a:b',
      'b:a',
      'a~3Ab',
      'a%3Ab',
      'user:a',
      '*',
      '**',
      '{user}',
      '../a',
      'a/b',
      'A',
      'a ',
      '~',
      'ａ',
    ),
    fc.constantFrom(
      '__proto__',
      'constructor',
      '1:a',
      '4:acme',
      'a\u0301',
      '\u00e1',
      'key:a',
      '#',
      '$',
      'a.b',
      'a..b',
      '-',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  )

  it('nothing that is done for one reaches the other', async () => {
    const engine = new MemoryEngine()
    const touched: string[] = []
    const publish = engine.publish.bind(engine)
    engine.publish = (request) => {
      touched.push(`${request.stream.tenant} ${request.stream.channel}`)
      return publish(request)
    }
    const announce = engine.announce.bind(engine)
    engine.announce = (stream, signal) => {
      touched.push(`${stream.tenant} ${stream.channel}`)
      return announce(stream, signal)
    }
    const channels = { 'user:{user}': { inbox: true, history: { size: 10, ttl: '1h' } } }
    const holdfast = createHoldfast({ auth: { secret: TEST_SECRET }, channels, engine })
    await fc.assert(
      fc.asyncProperty(nasty, nasty, nasty, nasty, async (tenantA, userA, tenantB, userB) => {
        fc.pre(isName(holdfast, tenantA, userA) && isName(holdfast, tenantB, userB))
        fc.pre(tenantA !== tenantB || userA !== userB)
        const [a, b] = [holdfast.tenant(tenantA).user(userA), holdfast.tenant(tenantB).user(userB)]
        const before = await b.history()
        touched.length = 0
        await a.publish('x', { user: userB, channel: `user:${userB}`, tenant: tenantB })
        await a.signal('x', userB)
        await a.notify({ title: userB, metadata: { user: userB } })
        expect(new Set(touched)).toEqual(new Set([`${tenantA} user:${channelSegment(userA)}`]))
        expect(await b.history()).toEqual(before)
        const operation = await a.operations.start({ kind: 'k' })
        expect(await b.operations.get(operation.id)).toBeUndefined()
        expect(await b.operations.cancel(operation.id)).toBe(false)
        await operation.complete()
      }),
      { numRuns: 300 },
    )
    await holdfast.close()
  })
})

function isName(holdfast: Holdfast, tenant: string, user: string): boolean {
  try {
    holdfast.tenant(tenant).user(user)
    return true
  } catch {
    return false
  }
}
