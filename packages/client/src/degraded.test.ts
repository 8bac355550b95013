import { ERRORS } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import type { CursorStore } from './cursor-store.js'
import { PASSING } from './errors.js'
import { Stage, answer, message, verdict, welcome } from './testing/scripted-server.js'
import { settle } from './testing/simulated-clock.js'
import type { FarEnd } from './testing/simulated-network.js'

const away = { code: 'engine_unavailable', message: 'The message store cannot be reached' }

/** A server that answers everything but commands of this type, which a test answers. */
function holding(stage: Stage, held: string, greeting: object = welcome()): void {
  stage.network.onConnect = (end) => {
    end.onCommand = (command) => {
      if (command.type === 'hello') end.send(greeting)
      else if (command.type !== held) answer(end, command)
    }
    end.accept()
  }
}

/** Refuses a command, because the store is away. */
function refuse(end: FarEnd, id: number | undefined, retryAfter?: number): void {
  end.send({ type: 'error', id, ...away, retryable: true, ...(retryAfter !== undefined && { retryAfter }) })
}

describe('the codes after which a subscription is asked for again', () => {
  it('are those that the table of the protocol calls retryable', () => {
    for (const [code, { retryable }] of Object.entries(ERRORS))
      expect([code, PASSING.test(code)]).toEqual([code, retryable])
    expect(PASSING.test('of_the_application')).toBe(false)
  })
})

describe('a channel whose node lost its store', () => {
  it('is asked for again, from where it was, when its subscription ended for a reason that passes', async () => {
    const stage = new Stage()
    const room = stage.client.channel('room:1')
    const told: unknown[] = []
    room.on('chat', ({ data }) => told.push(data))
    room.on('unsubscribed', (ended) => told.push(ended))
    const end = await stage.open()
    end.send(message(1))
    end.send({ type: 'unsubscribed', channel: 'room:1', ...away })
    expect(room.status).toBe('subscribing')
    end.send(message(2))
    await stage.clock.pass(1000)
    expect(end.all('subscribe')).toMatchObject([{}, { since: { epoch: 'e1', offset: 1, id: 'm1' } }])
    end.send(message(2))
    expect(told).toEqual([1, 2])
    expect(room.status).toBe('subscribed')
  })

  it('is asked for again when a resumed session could not go on with it', async () => {
    const stage = new Stage()
    const room = stage.client.channel('room:1')
    room.on('*', () => {})
    await stage.open()
    holding(stage, 'subscribe', welcome({ resumed: true, channels: ['room:1'] }))
    stage.end.close(1006)
    await stage.clock.pass(750)
    stage.end.send({ type: 'unsubscribed', channel: 'room:1', ...away })
    expect(stage.end.all('subscribe')).toEqual([])
    await stage.clock.pass(750)
    refuse(stage.end, stage.end.all('subscribe')[0]!.id, 5000)
    await stage.clock.pass(4999)
    expect(stage.end.all('subscribe')).toHaveLength(1)
    await stage.clock.pass(1)
    const [, again] = stage.end.all('subscribe')
    stage.end.send(verdict(0, { id: again!.id! }))
    expect(room.status).toBe('subscribed')
    expect(stage.client.statistics).toMatchObject({ retries: 2 })
  })

  it('is asked for again within a second when the node says that the store is back', async () => {
    const stage = new Stage()
    holding(stage, 'subscribe')
    stage.client.channel('room:1').on('*', () => {})
    const end = await stage.open()
    refuse(end, end.all('subscribe')[0]!.id, 60_000)
    await stage.clock.pass(10_000)
    expect(end.all('subscribe')).toHaveLength(1)
    end.send({ type: 'notice', code: 'recovered', message: '' })
    expect(end.all('subscribe')).toHaveLength(1)
    await stage.clock.pass(1000)
    expect(end.all('subscribe')).toHaveLength(2)
  })

  it('keeps whoever waits for its begin waiting, and an operation watched', async () => {
    const stage = new Stage()
    holding(stage, 'subscribe')
    let settled = 0
    void stage.client
      .channel('room:1')
      .subscribe()
      .finally(() => (settled += 1))
    const job = stage.client.operation('import-1')
    void job.done.catch(() => {}).finally(() => (settled += 1))
    const end = await stage.open()
    for (const { id } of end.all('subscribe')) refuse(end, id)
    await stage.clock.pass(1000)
    expect([settled, end.all('subscribe').length]).toEqual([0, 4])
  })

  it('is asked for again when it is the inbox, and goes on where the server says', async () => {
    const stage = new Stage()
    const inbox = { channel: 'user:ada' }
    holding(stage, 'subscribe', welcome({ channels: [inbox.channel] }))
    const heard: unknown[] = []
    stage.client.inbox<{ chat: number }>().on('chat', ({ data }) => heard.push(data))
    const end = await stage.open()
    end.send({ type: 'unsubscribed', ...inbox, ...away })
    await stage.clock.pass(1000)
    const [asked] = end.all('subscribe')
    expect(asked).toEqual({ type: 'subscribe', id: asked!.id, ...inbox })
    end.send(verdict(5, { id: asked!.id!, ...inbox, messages: [message(5, 'm5', inbox.channel)] }))
    expect(heard).toEqual([5])
  })

  it('does not listen to the refusal of a link that has a successor', async () => {
    const stage = new Stage()
    const room = stage.client.channel('room:1')
    const heard: unknown[] = []
    room.on('chat', ({ data }) => heard.push(data))
    const old = await stage.open()
    holding(stage, 'subscribe', welcome({ session: 's2' }))
    old.send({ type: 'goodbye', code: 1012, message: 'Service restart', reconnect: 'now', after: 0 })
    await stage.clock.pass(0)
    old.send({ type: 'unsubscribed', channel: 'room:1', code: 'permission_denied', message: 'gone' })
    const [asked] = stage.end.all('subscribe')
    stage.end.send(verdict(1, { id: asked!.id!, recovered: 'full', messages: [message(1)] }))
    expect([heard, room.status]).toEqual([[1], 'subscribed'])
  })

  it('is not called subscribed while nobody speaks for it', async () => {
    const stage = new Stage()
    const room = stage.client.channel('room:1')
    room.on('*', () => {})
    const old = await stage.open()
    holding(stage, 'subscribe')
    old.send({ type: 'goodbye', code: 1012, message: 'Service restart', reconnect: 'now', after: 0 })
    await stage.clock.pass(0)
    refuse(stage.end, stage.end.all('subscribe')[0]!.id)
    expect(room.status).toBe('subscribed')
    old.close(1000, 'Resumed elsewhere')
    expect(room.status).toBe('subscribing')
  })
})

describe('a publish that the store could not take', () => {
  it('goes out again with its key, when the server says, before what was published later', async () => {
    const stage = new Stage()
    holding(stage, 'publish')
    const end = await stage.open()
    const room = stage.client.channel('room:1')
    const first = room.publish('chat', 1)
    refuse(end, end.all('publish')[0]!.id, 2000)
    const second = room.publish('chat', 2)
    await stage.clock.pass(1999)
    expect(end.all('publish')).toHaveLength(1)
    expect(stage.client.statistics).toMatchObject({ queued: 2, retries: 1 })
    end.onCommand = (command) => answer(end, command)
    await stage.clock.pass(2000)
    await Promise.all([first, second])
    expect(end.all('publish').map(({ data, key }) => [data, key])).toEqual([
      [1, 'key-1'],
      [1, 'key-1'],
      [2, 'key-2'],
    ])
    expect(stage.client.statistics).toMatchObject({ queued: 0 })
  })

  it('holds back nothing but its own channel', async () => {
    const stage = new Stage()
    holding(stage, 'publish')
    const end = await stage.open()
    void stage.client.channel('room:1').publish('chat', 1)
    refuse(end, end.all('publish')[0]!.id, 60_000)
    void stage.client.channel('room:2').publish('chat', 2)
    void stage.client.call('sum').catch(() => {})
    expect(end.arrived.slice(-2).map(({ type }) => type)).toEqual(['publish', 'call'])
  })

  it('is given up when it is too old, or aborted', async () => {
    const stage = new Stage({ offlineQueue: { ageMaxMs: 5000 } })
    stage.network.onConnect = (end) => {
      end.onCommand = (command) => (command.type === 'publish' ? refuse(end, command.id, 1000) : answer(end, command))
      end.accept()
    }
    await stage.open()
    const room = stage.client.channel('room:1')
    const old = expect(room.publish('chat', 1)).rejects.toMatchObject({ code: 'queue_expired', retryable: true })
    const giving = new AbortController()
    const aborted = expect(room.publish('chat', 2, { signal: giving.signal })).rejects.toMatchObject({
      code: 'aborted',
    })
    giving.abort()
    await aborted
    await stage.clock.pass(5000)
    await old
    expect(stage.client.statistics).toMatchObject({ queued: 0 })
    expect(stage.end.all('publish').length).toBeGreaterThan(2)
  })

  it('leaves no timer behind when the client is closed', async () => {
    const stage = new Stage()
    holding(stage, 'publish')
    const end = await stage.open()
    const published = expect(stage.client.channel('room:1').publish('chat', 1)).rejects.toMatchObject({
      code: 'disconnected',
    })
    refuse(end, end.all('publish')[0]!.id, 2000)
    stage.client.disconnect()
    await published
    expect(stage.clock.timers).toBe(0)
    holding(stage, 'nothing')
    await stage.open()
    await stage.client.channel('room:1').publish('chat', 2)
  })

  it('is refused to its author when no retry can help', async () => {
    const stage = new Stage()
    holding(stage, 'publish')
    const end = await stage.open()
    const published = stage.client.channel('room:1').publish('chat', 1)
    const error = { code: 'rate_limited', message: 'Too fast', retryable: true, retryAfter: 100 }
    end.send({ type: 'error', id: end.all('publish')[0]!.id, ...error })
    await expect(published).rejects.toMatchObject(error)
  })
})

describe('messages that a degraded node delivers without an offset', () => {
  it('are handed on once, over a reconnect and on another node, and positions follow into the cursor store', async () => {
    const saved: unknown[] = []
    const cursorStore: CursorStore = { load: () => undefined, save: (_, { offset }) => void saved.push(offset) }
    const stage = new Stage({ cursorStore })
    const heard: unknown[] = []
    stage.client.channel('room:1').on('chat', ({ id }) => heard.push(id))
    const end = await stage.open()
    end.send(message(1), message(undefined, 'a'), message(undefined, 'b'))
    holding(stage, 'subscribe', welcome({ resumed: true, channels: ['room:1'] }))
    end.close(1006)
    await stage.clock.pass(1000)
    const messages = [message(2, 'a'), message(3, 'c')]
    stage.end.send(verdict(3, { recovered: 'full', messages }), message(4, 'b'), message(5, 'd'))
    expect(heard).toEqual(['m1', 'a', 'b', 'c', 'd'])
    expect(saved.at(-1)).toBe(5)
    expect(stage.client.statistics).toMatchObject({ duplicatesDropped: 2, gaps: 0 })
  })
})

describe('a gap that a node announces', () => {
  it('moves the position in the cursor store, and a reconnect goes on there', async () => {
    const saved: unknown[] = []
    const cursorStore: CursorStore = { load: () => undefined, save: (_, position) => void saved.push(position) }
    const stage = new Stage({ cursorStore })
    const heard: unknown[] = []
    const room = stage.client.channel('room:1')
    room.on('chat', ({ data }) => heard.push(data))
    room.on('gap', ({ reason }) => heard.push(reason))
    const end = await stage.open()
    const position = { epoch: 'e2', offset: 0, id: '' }
    end.send(message(7), { type: 'gap', channel: 'room:1', from: 8, to: null, reason: 'epoch_changed', position })
    expect(saved.at(-1)).toEqual(position)
    end.send(message(1, 'x'))
    end.close(1006)
    await stage.clock.pass(1000)
    expect(stage.end.all('subscribe')).toMatchObject([{ since: { epoch: 'e2', offset: 1, id: 'x' } }])
    expect(heard).toEqual([7, 'epoch_changed', 1])
  })
})

describe('what a degraded node tells', () => {
  it('reaches the application, and stands in the statistics until the store is back', async () => {
    const stage = new Stage()
    const told: unknown[] = []
    stage.client.on('notice', ({ code, details }) => told.push([code, details]))
    const end = await stage.open()
    expect(stage.client.statistics.degraded).toBe(false)
    end.send({ type: 'notice', code: 'degraded', message: 'The message store is away', details: { since: 1 } })
    expect(stage.client.statistics.degraded).toBe(true)
    end.send({ type: 'notice', code: 'recovered', message: 'The message store is back' })
    expect(stage.client.statistics.degraded).toBe(false)
    expect(told).toEqual([
      ['degraded', { since: 1 }],
      ['recovered', undefined],
    ])
  })

  it('is forgotten with its connection, and not taken from one that has a successor', async () => {
    const stage = new Stage()
    const old = await stage.open()
    old.send({ type: 'notice', code: 'degraded', message: '' })
    holding(stage, 'subscribe')
    stage.client.channel('room:1').on('*', () => {})
    await settle()
    old.send({ type: 'goodbye', code: 1012, message: 'Service restart', reconnect: 'now', after: 0 })
    await stage.clock.pass(0)
    expect(stage.client.statistics.degraded).toBe(false)
    old.send({ type: 'notice', code: 'degraded', message: '' })
    expect(stage.client.statistics.degraded).toBe(false)
  })
})

describe('a cursor store that never answers', () => {
  it('holds its channel back for ten seconds, is reported, and is no longer listened to', async () => {
    let late = (_: { epoch: string; offset: number }): void => {}
    const cursorStore: CursorStore = { load: () => new Promise((resolve) => (late = resolve)), save: () => {} }
    const stage = new Stage({ cursorStore })
    stage.client.channel('room:1').on('*', () => {})
    const end = await stage.open()
    await stage.clock.pass(9999)
    expect(end.all('subscribe')).toEqual([])
    await stage.clock.pass(1)
    expect(end.all('subscribe')).toEqual([{ type: 'subscribe', id: 1, channel: 'room:1' }])
    expect(stage.errors).toMatchObject([
      { code: 'handler_failed', message: expect.stringContaining('cursorStore.load()') },
    ])
    late({ epoch: 'e0', offset: 9 })
    await settle()
    expect(stage.client.channel('room:1').position).toMatchObject({ epoch: 'e1' })
  })
})
