import { describe, expect, it } from 'vitest'
import { Stage, answer, welcome } from './testing/scripted-server.js'
import { settle } from './testing/simulated-clock.js'

/** A server that welcomes and says nothing else. */
function mute(stage: Stage, inFlight = 32): void {
  stage.network.onConnect = (end) => {
    end.onCommand = ({ type }) => type === 'hello' && end.send(welcome({ inFlight }))
    end.accept()
  }
}

describe('publishing', () => {
  it('resolves with the place of the message', async () => {
    const stage = new Stage()
    await stage.open()
    const published = await stage.client.channel('room:1').publish('chat', { text: 'hi', at: new Date(0) })
    expect(published).toEqual({ id: 'm1', offset: 1, epoch: 'e1', duplicate: false })
    expect(stage.end.all('publish')).toEqual([
      {
        type: 'publish',
        id: 1,
        channel: 'room:1',
        event: 'chat',
        key: 'key-1',
        data: { text: 'hi', at: '1970-01-01T00:00:00.000Z' },
      },
    ])
  })

  it('waits while away and goes out in order, each with its own key', async () => {
    const stage = new Stage()
    const room = stage.client.channel('room:1')
    const all = [1, 2, 3].map((data) => room.publish('chat', data))
    await stage.open()
    await Promise.all(all)
    expect(stage.end.all('publish').map(({ data, key }) => [data, key])).toEqual([
      [1, 'key-1'],
      [2, 'key-2'],
      [3, 'key-3'],
    ])
  })

  it('sends again, with the same key and before anything newer, what a disconnect left without an answer', async () => {
    const stage = new Stage()
    mute(stage)
    await stage.open()
    const room = stage.client.channel('room:1')
    const lost = [room.publish('chat', 1), room.publish('chat', 2)]
    const once = expect(stage.client.call('pay')).rejects.toMatchObject({ code: 'disconnected', retryable: true })
    stage.end.close(1006)
    await once
    const later = room.publish('chat', 3)
    stage.network.onConnect = (end) => {
      end.onCommand = (command) => answer(end, command)
      end.accept()
    }
    await stage.clock.pass(1000)
    await Promise.all([...lost, later])
    expect(stage.end.all('publish').map(({ data, key }) => [data, key])).toEqual([
      [1, 'key-1'],
      [2, 'key-2'],
      [3, 'key-3'],
    ])
    expect(stage.end.all('call')).toEqual([])
  })

  it('does not send again what was in flight when the server found a message too big', async () => {
    const stage = new Stage()
    mute(stage)
    await stage.open()
    const lost = expect(stage.client.channel('room:1').publish('chat', 1)).rejects.toMatchObject({
      code: 'disconnected',
    })
    stage.end.close(1009, 'Message too big')
    await lost
    await stage.clock.pass(1000)
    expect(stage.end.all('publish')).toEqual([])
  })

  it('refuses what the server would refuse, before it is sent', async () => {
    const stage = new Stage()
    await stage.open()
    const room = stage.client.channel('room:1')
    await expect(room.publish('chat', 'x'.repeat(70_000))).rejects.toMatchObject({ code: 'limit_exceeded' })
    const circular: unknown[] = []
    circular.push(circular)
    await expect(room.publish('chat', circular)).rejects.toMatchObject({ code: 'unserialisable' })
    expect(stage.end.all('publish')).toEqual([])
  })
})

describe('the offline queue', () => {
  it('T-119 is bounded by count, by bytes and by age', async () => {
    const stage = new Stage({ offlineQueue: { countMax: 3, bytesMax: 500, ageMaxMs: 60_000 } })
    const room = stage.client.channel('room:1')
    const first = expect(room.publish('chat', 1)).rejects.toMatchObject({ code: 'queue_expired' })
    await expect(room.publish('chat', 'x'.repeat(500))).rejects.toMatchObject({ code: 'queue_full', retryable: true })
    await stage.clock.pass(30_000)
    const second = room.publish('chat', 2)
    const third = room.publish('chat', 3)
    await expect(room.publish('chat', 4)).rejects.toMatchObject({ code: 'queue_full' })
    expect(stage.client.statistics).toMatchObject({ queued: 3 })
    await stage.clock.pass(30_000)
    await first
    await stage.open()
    await Promise.all([second, third])
    expect(stage.client.statistics).toMatchObject({ queued: 0, queuedBytes: 0 })
  })

  it('counts the age of a publish from its beginning, over every disconnect', async () => {
    const stage = new Stage({ offlineQueue: { ageMaxMs: 5000 } })
    mute(stage)
    await stage.open()
    const lost = expect(stage.client.channel('room:1').publish('chat', 1)).rejects.toMatchObject({
      code: 'queue_expired',
    })
    await stage.clock.pass(4000)
    stage.network.onConnect = () => {}
    stage.end.close(1006)
    await stage.clock.pass(1000)
    await lost
  })
})

describe('commands', () => {
  it('are in flight at most as many as the server allows; the rest waits in order', async () => {
    const stage = new Stage()
    mute(stage, 2)
    await stage.open()
    const calls = [1, 2, 3, 4].map((data) => stage.client.call('double', data))
    expect(stage.end.all('call').map(({ data }) => data)).toEqual([1, 2])
    for (let at = 0; at < 4; at += 1) stage.end.send({ type: 'ok', id: stage.end.all('call')[at]!.id, data: at })
    expect(await Promise.all(calls)).toEqual([0, 1, 2, 3])
  })

  it('time out, waiting or in flight', async () => {
    const stage = new Stage()
    const early = expect(stage.client.call('slow', 1)).rejects.toMatchObject({ code: 'timeout', retryable: true })
    await stage.clock.pass(10_000)
    await early
    mute(stage)
    await stage.open()
    const late = expect(stage.client.call('slow', 2, { timeoutMs: 500 })).rejects.toMatchObject({ code: 'timeout' })
    await stage.clock.pass(500)
    await late
    expect(stage.end.all('call')).toMatchObject([{ data: 2, timeout: 500 }])
  })

  it('reject with what the server answers', async () => {
    const stage = new Stage()
    mute(stage)
    await stage.open()
    const call = stage.client.call('sum')
    const error = { code: 'rate_limited', message: 'Too fast', retryable: true, retryAfter: 200, details: { limit: 5 } }
    stage.end.send({ type: 'error', id: 1, ...error })
    await expect(call).rejects.toMatchObject({ name: 'HoldfastError', ...error })
  })

  it('can be aborted before, while waiting and in flight', async () => {
    const stage = new Stage()
    const before = AbortSignal.abort('why')
    await expect(stage.client.call('a', 1, { signal: before })).rejects.toMatchObject({ code: 'aborted', cause: 'why' })
    const waiting = new AbortController()
    const call = stage.client.call('b', 1, { signal: waiting.signal })
    waiting.abort()
    await expect(call).rejects.toMatchObject({ code: 'aborted' })
    mute(stage, 1)
    await stage.open()
    expect(stage.end.all('call')).toEqual([])
    const inFlight = new AbortController()
    const sent = stage.client.channel('room:1').publish('chat', 1, { signal: inFlight.signal })
    inFlight.abort()
    await expect(sent).rejects.toMatchObject({ code: 'aborted' })
    // The server still works on it, so its place is not free yet.
    const next = stage.client.call('c')
    expect(stage.end.all('call')).toEqual([])
    stage.end.send({ type: 'ok', id: stage.end.all('publish')[0]!.id })
    await settle()
    stage.end.send({ type: 'ok', id: stage.end.all('call')[0]!.id, data: 'c' })
    expect(await next).toBe('c')
  })

  it('report an error that belongs to no command', async () => {
    const stage = new Stage()
    await stage.open()
    expect(stage.client.channel('room:1').signal('wave', null)).toBe(true)
    stage.end.send({ type: 'error', code: 'permission_denied', message: 'Not allowed', retryable: false })
    expect(stage.errors).toMatchObject([{ code: 'permission_denied' }])
  })
})
