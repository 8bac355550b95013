import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Tenant } from './tenant.js'
import { TEST_CHANNELS, type TestNode, startNode } from './testing/test-node.js'

let node: TestNode
let acme: Tenant

beforeEach(async () => {
  node = await startNode({ channels: { ...TEST_CHANNELS, 'gone:*': { history: { size: 3, ttl: '1h' } } } })
  acme = node.holdfast.tenant('acme')
})

afterEach(() => node.close())

/** Every way to name a channel to a tenant. */
const DOORS: Record<string, (channel: string) => Promise<unknown>> = {
  publish: (channel) => acme.publish(channel, 'e', 1),
  signal: (channel) => acme.signal(channel, 'e', 1),
  history: (channel) => acme.history(channel),
  presence: (channel) => acme.presence(channel),
}

describe('a tenant', () => {
  it.each(['', 'x'.repeat(129), 'a\n', '\ud800'])('cannot be named %j', (id) =>
    expect(() => node.holdfast.tenant(id)).toThrow(new RangeError('tenant must be 1 to 128 printable characters')),
  )

  it('meets no other: what one publishes the other does not find', async () => {
    await acme.publish('room:1', 'chat', 'ours')
    const other = node.holdfast.tenant('other')
    expect((await other.history('room:1')).messages).toEqual([])
    await other.publish('room:1', 'chat', 'theirs')
    expect((await acme.history('room:1')).messages).toMatchObject([{ data: 'ours' }])
  })
})

describe.each(Object.entries(DOORS))('%s', (_, door) => {
  it.each(['', 'room', 'room:', 'Room:1', 'room:a b', 'room:é'])('refuses %j, which is no channel', (channel) =>
    expect(door(channel)).rejects.toMatchObject({
      code: 'invalid_channel',
      message: `channel must be namespace:name, received ${JSON.stringify(channel)}`,
    }),
  )

  it('refuses a channel that no rule names', () =>
    expect(door('none:1')).rejects.toMatchObject({
      code: 'permission_denied',
      message: 'no channel rule names "none:1"',
    }))
})

describe('publish', () => {
  it('answers where the message stands, and reaches subscribers as from the system', async () => {
    const client = await node.join('ada')
    await client.request({ type: 'subscribe', channel: 'room:1' })
    const result = await acme.publish('room:1', 'chat', { at: new Date(0), tags: new Set(['a']) })
    expect(result).toMatchObject({ offset: 1, duplicate: false })
    expect(await client.next('message')).toMatchObject({
      id: result.id,
      offset: 1,
      event: 'chat',
      data: { at: '1970-01-01T00:00:00.000Z', tags: ['a'] },
      from: { system: true },
    })
  })

  it('has neither epoch nor offset on a channel without history', async () =>
    expect(await acme.publish('live:1', 'e', 1)).toMatchObject({ epoch: '', offset: 0, duplicate: false }))

  it('is stored once for a key, and refuses the key for other data', async () => {
    const first = await acme.publish('room:1', 'e', 1, { key: 'k' })
    expect(await acme.publish('room:1', 'e', 1, { key: 'k' })).toEqual({ ...first, duplicate: true })
    await expect(acme.publish('room:1', 'e', 2, { key: 'k' })).rejects.toMatchObject({ code: 'idempotency_conflict' })
    expect((await acme.history('room:1')).messages).toHaveLength(1)
  })

  it.each(['', 'a b', 'x'.repeat(65), 'é', 'a\n'])('refuses the event %j', async (event) => {
    const refusal = { code: 'bad_request', message: expect.stringContaining('event must be an event name') as string }
    await expect(acme.publish('room:1', event, 1)).rejects.toMatchObject(refusal)
    await expect(acme.signal('room:1', event, 1)).rejects.toMatchObject(refusal)
  })

  it('takes 64 KiB of encoded data and not a byte more', async () => {
    await acme.publish('room:1', 'e', 'x'.repeat(65_534))
    const refusal = { code: 'limit_exceeded', message: 'data must be at most 65536 bytes when encoded' }
    await expect(acme.publish('room:1', 'e', 'x'.repeat(65_535))).rejects.toMatchObject(refusal)
    await expect(acme.publish('room:1', 'e', 'é'.repeat(32_768))).rejects.toMatchObject(refusal)
    await expect(acme.signal('room:1', 'e', 'x'.repeat(65_535))).rejects.toMatchObject(refusal)
  })

  it('names what cannot be encoded', () =>
    expect(acme.publish('room:1', 'e', { a: [Number.NaN] })).rejects.toMatchObject({
      code: 'unserialisable',
      path: 'data.a[0]',
    }))
})

describe('signal', () => {
  it('reaches who listens, and is not stored', async () => {
    const client = await node.join('ada')
    await client.request({ type: 'subscribe', channel: 'room:1' })
    await acme.signal('room:1', 'tick', 7)
    expect(await client.next('signal')).toMatchObject({ event: 'tick', data: 7, from: { system: true } })
    expect((await acme.history('room:1')).messages).toEqual([])
  })
})

describe('history', () => {
  beforeEach(async () => {
    for (let at = 1; at <= 5; at += 1) await acme.publish('room:1', 'e', at)
  })

  const dataOf = async (options: Parameters<Tenant['history']>[1]): Promise<[unknown[], boolean]> => {
    const { messages, more } = await acme.history('room:1', options)
    return [messages.map(({ data }) => data), more]
  }

  it('is the newest messages, newest last, decoded', async () => {
    const { epoch, messages, more } = await acme.history('room:1')
    expect(epoch).not.toBe('')
    expect(messages.map(({ offset, data }) => [offset, data])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
      [5, 5],
    ])
    expect(more).toBe(false)
    expect(messages[0]).toMatchObject({ event: 'e', from: { system: true } })
  })

  it('goes back before a position, and on after one', async () => {
    const { epoch } = await acme.history('room:1')
    expect(await dataOf({ limit: 2 })).toEqual([[4, 5], true])
    expect(await dataOf({ before: { epoch, offset: 4 }, limit: 2 })).toEqual([[2, 3], true])
    expect(await dataOf({ before: { epoch, offset: 3 }, limit: 2 })).toEqual([[1, 2], false])
    expect(await dataOf({ since: { epoch, offset: 1 }, limit: 2 })).toEqual([[2, 3], true])
    expect(await dataOf({ since: { epoch, offset: 3 }, limit: 2 })).toEqual([[4, 5], false])
  })

  it('of an epoch that has ended is empty', async () =>
    expect((await acme.history('room:1', { since: { epoch: 'gone', offset: 1 } })).messages).toEqual([]))

  it('goes in one direction, by a sensible step', async () => {
    const position = { epoch: 'e', offset: 1 }
    await expect(acme.history('room:1', { since: position, before: position })).rejects.toMatchObject({
      code: 'bad_request',
      message: 'since and before exclude each other',
    })
    for (const limit of [0, -1, 1.5, Number.NaN, 1_000_001])
      await expect(acme.history('room:1', { limit })).rejects.toMatchObject({ code: 'bad_request' })
  })

  it('is empty where nothing is kept', async () =>
    expect(await acme.history('live:1')).toEqual({ epoch: '', messages: [], more: false }))

  it('holds as much as the rule keeps', async () => {
    for (let at = 1; at <= 5; at += 1) await acme.publish('gone:1', 'e', at)
    const { messages, more } = await acme.history('gone:1')
    expect(messages.map(({ data }) => data)).toEqual([3, 4, 5])
    expect(more).toBe(false)
  })
})

describe('presence', () => {
  it('lists who is there', async () => {
    expect(await acme.presence('live:1')).toEqual({ members: [], counts: { members: 0, connections: 0 } })
    const client = await node.join('ada')
    await client.request({ type: 'subscribe', channel: 'live:1', presence: { info: 1 } })
    expect(await acme.presence('live:1')).toEqual({
      members: [{ user: 'ada', connections: 1, info: 1 }],
      counts: { members: 1, connections: 1 },
    })
  })
})

describe('notify', () => {
  it('waits in the inbox of the user, with everything filled in', async () => {
    await acme.notify('ada lovelace', { title: 'Hello' })
    const client = await node.join('ada lovelace')
    expect(await client.next('subscribed')).toMatchObject({
      channel: 'user:ada~20lovelace',
      messages: [
        {
          event: 'notification',
          data: {
            id: expect.stringMatching(/^.{12}$/) as string,
            title: 'Hello',
            body: '',
            priority: 'normal',
            metadata: {},
          },
        },
      ],
    })
  })

  it('is stored once for an id', async () => {
    const notification = { id: 'n1', title: 'Hello', body: '-', priority: 'high' as const, metadata: { a: 1 } }
    const first = await acme.notify('ada', notification)
    expect(await acme.notify('ada', notification)).toEqual({ ...first, duplicate: true })
  })

  it('is a rejection for what cannot be a user', () =>
    expect(acme.notify('', { title: '-' })).rejects.toMatchObject({
      code: 'bad_request',
      message: 'user must be the name of a user',
    }))
})

describe('operations', () => {
  it('are those of the tenant', async () => {
    const operation = await acme.operations.start({ id: 'one', kind: 'import', owner: 'ada' })
    expect(await acme.operations.get('one')).toMatchObject({ tenant: 'acme', state: 'running' })
    const other = node.holdfast.tenant('other').operations
    expect(await other.get('one')).toBeUndefined()
    expect(await other.cancel('one')).toBe(false)
    expect(await acme.operations.cancel('one')).toBe(true)
    expect(operation.signal.aborted).toBe(true)
    expect(node.holdfast.stats().operations).toBe(1)
  })
})

describe('disconnect', () => {
  it('answers how many there were', async () => expect(await acme.disconnect('nobody')).toBe(0))
})
