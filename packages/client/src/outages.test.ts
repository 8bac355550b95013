import { describe, expect, it } from 'vitest'
import { Stage, answer, message, verdict, welcome } from './testing/scripted-server.js'
import { settle } from './testing/simulated-clock.js'
import type { FarEnd } from './testing/simulated-network.js'

/** From now on the server greets like this, and answers all but `silentOn`. */
function greets(stage: Stage, greeting: object, ...silentOn: string[]): void {
  stage.network.onConnect = (end) => {
    end.onCommand = (command) => {
      if (command.type === 'hello') end.send(greeting)
      else if (!silentOn.includes(command.type)) answer(end, command)
    }
    end.accept()
  }
}

const moving = { type: 'goodbye', code: 1012, message: 'Service restart', reconnect: 'now', after: 0 }

/** Cuts the connection, and waits for the next one. */
async function cut(stage: Stage): Promise<FarEnd> {
  stage.end.close(1006)
  await stage.clock.pass(1000)
  return stage.end
}

const outcomeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => ({ value }),
    (error: { code: string; retryable: boolean }) => ({ code: error.code, retryable: error.retryable }),
  )

describe('a call', () => {
  it('that a cut left without an answer is not sent again, and says that it may be repeated', async () => {
    const stage = new Stage()
    greets(stage, welcome(), 'call')
    const first = await stage.open()
    const outcome = outcomeOf(stage.client.call('order.place', { key: 'k1' }))
    expect(first.all('call')).toHaveLength(1)
    const second = await cut(stage)
    expect(await outcome).toEqual({ code: 'disconnected', retryable: true })
    expect(second.all('call')).toEqual([])
  })

  it('made while away goes out once, on the next connection', async () => {
    const stage = new Stage()
    greets(stage, welcome(), 'call')
    const first = await stage.open()
    first.close(1006)
    const outcome = outcomeOf(stage.client.call('order.place', { key: 'k1' }))
    await stage.clock.pass(1000)
    const [call] = stage.end.all('call')
    stage.end.send({ type: 'ok', id: call!.id, data: 7 })
    expect(await outcome).toEqual({ value: 7 })
    expect(stage.end.all('call')).toHaveLength(1)
  })

  it('under way during a move is answered over the old connection, which waits for it', async () => {
    const stage = new Stage()
    greets(stage, welcome(), 'call')
    const first = await stage.open()
    const outcome = outcomeOf(stage.client.call('slow'))
    greets(stage, welcome({ resumed: true }), 'call')
    first.send(moving)
    await stage.clock.pass(3000)
    expect([stage.network.ends.length, first.closedBy]).toEqual([2, undefined])
    first.send({ type: 'ok', id: first.all('call')[0]!.id, data: 'done' })
    expect(await outcome).toEqual({ value: 'done' })
    expect([first.closedBy?.code, stage.end.all('call')]).toEqual([1000, []])
  })

  it('waiting when the client disconnects is never sent, also after it connected again', async () => {
    const stage = new Stage()
    const outcome = outcomeOf(stage.client.call('order.place'))
    stage.client.disconnect()
    expect(await outcome).toEqual({ code: 'disconnected', retryable: false })
    const end = await stage.open()
    expect(end.all('call')).toEqual([])
  })
})

describe('the state of a session', () => {
  it('that was lost on its way to a new session is set in the session that goes on', async () => {
    const stage = new Stage()
    await stage.open()
    await stage.client.state({ page: 3 })
    greets(stage, welcome({ session: 's2' }), 'state')
    await cut(stage)
    expect(stage.end.all('state')).toHaveLength(1)
    greets(stage, welcome({ session: 's2', resumed: true }))
    await cut(stage)
    expect(stage.end.all('state')).toMatchObject([{ data: { page: 3 } }])
    expect(stage.errors).toEqual([])
  })
})

describe('a token', () => {
  it('on its way when the line is cut is no error: the next connection brings a fresh one', async () => {
    let asked = 0
    const stage = new Stage({ token: () => `token-${(asked += 1)}` })
    greets(stage, welcome(), 'refresh')
    const first = await stage.open()
    first.send({ type: 'notice', code: 'token_expiring', message: 'soon' })
    await settle()
    expect(first.all('refresh')).toHaveLength(1)
    await cut(stage)
    expect(stage.end.all('hello')).toMatchObject([{ token: 'token-3' }])
    expect(stage.errors).toEqual([])
  })

  it('that cannot be had is told, and the connection goes on until it has to end', async () => {
    let fails = false
    const stage = new Stage({ token: () => (fails ? Promise.reject(new Error('no network')) : 'token') })
    const first = await stage.open()
    fails = true
    first.send({ type: 'notice', code: 'token_expiring', message: 'soon' })
    await settle()
    expect(stage.errors).toMatchObject([{ code: 'token_failed' }])
    await expect(stage.client.channel('room:1').publish('chat', 1)).resolves.toMatchObject({ id: 'm1' })
    first.send({ type: 'goodbye', code: 1008, message: 'Authentication token expired', reconnect: 'refresh' })
    first.close(1008, 'Authentication token expired')
    await stage.clock.pass(500)
    expect(stage.client.status).toBe('waiting')
    fails = false
    await stage.clock.pass(5000)
    expect(stage.client.status).toBe('open')
  })
})

describe('a subscription', () => {
  it('asked for and cut before its verdict begins once, though the session has it', async () => {
    const stage = new Stage()
    greets(stage, welcome(), 'subscribe')
    const heard: unknown[] = []
    stage.client.channel('room:1').on('chat', ({ data }) => heard.push(data))
    await stage.open()
    greets(stage, welcome({ resumed: true, channels: ['room:1'] }), 'subscribe')
    const end = await cut(stage)
    end.send(verdict(4), message(5))
    const [subscribe] = end.all('subscribe')
    end.send(verdict(5, { id: subscribe!.id! }), message(6))
    expect(heard).toEqual([6])
  })

  it('that waits is rejected by disconnect, and begins all the same after connect', async () => {
    const stage = new Stage()
    greets(stage, welcome(), 'subscribe')
    const room = stage.client.channel('room:1')
    await stage.open()
    const outcome = outcomeOf(room.subscribe())
    await settle()
    stage.client.disconnect()
    expect(await outcome).toEqual({ code: 'disconnected', retryable: false })
    greets(stage, welcome())
    await stage.open()
    expect(room.status).toBe('subscribed')
  })

  it('ended during a move is ended at the new node, too', async () => {
    const stage = new Stage()
    const room = stage.client.channel('room:1')
    const off = room.on('chat', () => {})
    const first = await stage.open()
    let welcomed = (): void => {}
    stage.network.onConnect = (end) => {
      end.onCommand = (command) => {
        if (command.type === 'hello') welcomed = () => end.send(welcome({ resumed: true, channels: ['room:1'] }))
        else answer(end, command)
      }
      end.accept()
    }
    first.send(moving)
    await stage.clock.pass(0)
    off()
    await settle()
    welcomed()
    await settle()
    expect(stage.end.all('unsubscribe')).not.toEqual([])
    expect(stage.end.all('subscribe')).toEqual([])
    expect(room.status).toBe('unsubscribed')
  })
})

describe('a session that goes on', () => {
  it('with far more channels than anybody had is not answered with as many commands', async () => {
    const stage = new Stage()
    await stage.open()
    const channels = Array.from({ length: 2000 }, (_, index) => `room:${index}`)
    greets(stage, welcome({ resumed: true, channels }))
    const end = await cut(stage)
    expect(end.all('unsubscribe').length).toBeLessThanOrEqual(256)
    await expect(stage.client.channel('room:1').publish('chat', 1)).resolves.toMatchObject({ id: 'm1' })
  })
})

describe('a device', () => {
  it('that comes back again and again is tried once for each wait', async () => {
    const stage = new Stage()
    await stage.open()
    stage.network.onConnect = () => {}
    stage.end.close(1006)
    for (let times = 0; times < 10; times += 1) {
      stage.wake()
      await stage.clock.pass(100)
    }
    await stage.clock.pass(500)
    expect(stage.network.ends).toHaveLength(2)
  })
})

describe('publishes that wait', () => {
  it('all fail where the server takes none of their size, however many there are', async () => {
    const stage = new Stage()
    const small = welcome() as { limits: object }
    greets(stage, { ...small, limits: { ...small.limits, messageBytesMax: 10 } })
    const room = stage.client.channel('room:1')
    const outcomes = Array.from({ length: 10_000 }, (_, index) => outcomeOf(room.publish('chat', index)))
    await stage.open()
    const codes = new Set((await Promise.all(outcomes)).map((outcome) => (outcome as { code: string }).code))
    expect([...codes]).toEqual(['limit_exceeded'])
  })
})

describe('another user than before', () => {
  const as = (user: string, window = 300): object => {
    const greeting = welcome({ session: `of ${user}` }) as { session: object }
    return { ...greeting, user, session: { ...greeting.session, window } }
  }
  const signedIn = { code: 'disconnected', retryable: false }

  it('says nothing of what the one before left waiting, without an answer, or as the state of the session', async () => {
    const stage = new Stage()
    greets(stage, as('ada'), 'publish', 'ack')
    const first = await stage.open()
    const room = stage.client.channel('room:1')
    await stage.client.state({ page: 3 })
    stage.client.inbox().ack(7)
    const unanswered = outcomeOf(room.publish('chat', 'sent'))
    expect(first.all('publish')).toHaveLength(1)
    first.close(1006)
    greets(stage, as('bob'))
    const waiting = [room.publish('chat', 'waits'), stage.client.call('order.place'), stage.client.state({ page: 4 })]
    const outcomes = Promise.all([unanswered, ...waiting.map(outcomeOf)])
    await stage.clock.pass(1000)
    expect(await outcomes).toEqual([signedIn, signedIn, signedIn, signedIn])
    expect(stage.end.arrived.map(({ type }) => type)).toEqual(['hello'])
    await expect(room.publish('chat', 'mine')).resolves.toMatchObject({ id: 'm1' })
    expect(stage.errors).toEqual([])
  })

  it('says nothing of it after a move to another node either', async () => {
    const stage = new Stage()
    greets(stage, as('ada'), 'publish')
    const first = await stage.open()
    const room = stage.client.channel('room:1')
    room.on('chat', () => {})
    const sent = outcomeOf(room.publish('chat', 'sent'))
    greets(stage, as('bob'))
    first.send(moving)
    await settle()
    const waits = outcomeOf(room.publish('chat', 'waits'))
    await stage.clock.pass(3000)
    expect(await Promise.all([sent, waits])).toEqual([signedIn, signedIn])
    expect(stage.end.all('publish')).toEqual([])
    expect(room.status).toBe('subscribed')
  })

  it('says what was asked for after a disconnect', async () => {
    const stage = new Stage()
    greets(stage, as('ada'))
    await stage.open()
    stage.client.disconnect()
    greets(stage, as('bob'))
    stage.client.connect()
    await expect(stage.client.channel('room:1').publish('chat', 1)).resolves.toMatchObject({ id: 'm1' })
  })

  it('is whoever has no name on each connection, and says what waited all the same', async () => {
    const stage = new Stage()
    greets(stage, as('anonymous-1', 0), 'publish')
    const first = await stage.open()
    const published = outcomeOf(stage.client.channel('room:1').publish('chat', 1))
    greets(stage, as('anonymous-2', 0))
    first.close(1006)
    await stage.clock.pass(1000)
    expect(await published).toMatchObject({ value: { id: 'm1' } })
  })
})

describe('somebody who types', () => {
  it('is told of, though the clock was set back', async () => {
    const stage = new Stage()
    const end = await stage.open()
    const room = stage.client.channel('room:1')
    room.typing(true)
    await stage.clock.sleep(-3_600_000)
    room.typing(true)
    expect(end.all('signal')).toHaveLength(2)
  })
})
