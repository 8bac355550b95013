import { describe, expect, it } from 'vitest'
import { Stage, answer, message, verdict, welcome } from './testing/scripted-server.js'
import { settle } from './testing/simulated-clock.js'
import type { FarEnd } from './testing/simulated-network.js'

/** A server that welcomes and answers nothing else by itself. */
function silent(stage: Stage, greeting: object = welcome()): void {
  stage.network.onConnect = (end) => {
    end.onCommand = ({ type }) => type === 'hello' && end.send(greeting)
    end.accept()
  }
}

/** Answers the last subscribe of `room:1`. */
function give(end: FarEnd, to: number, more: Parameters<typeof verdict>[1] = {}): void {
  end.send(verdict(to, { id: end.all('subscribe').at(-1)!.id!, ...more }))
}

const moving = { type: 'goodbye', code: 1012, message: 'Service restart', reconnect: 'now', after: 0 }

describe('a channel whose owner changes their mind', () => {
  it('unsubscribes what was asked for and not answered yet', async () => {
    const stage = new Stage()
    silent(stage)
    const off = stage.client.channel('room:1').on('chat', () => {})
    const end = await stage.open()
    off()
    await settle()
    expect(end.all('unsubscribe')).toMatchObject([{ channel: 'room:1' }])
  })

  it('starts at the place that was asked for last, though the server was asked already', async () => {
    const stage = new Stage()
    silent(stage)
    const heard: unknown[] = []
    const room = stage.client.channel('room:1')
    room.on('chat', ({ data }) => heard.push(data))
    const end = await stage.open()
    void room.subscribe({ since: { epoch: 'e1', offset: 1 } })
    await settle()
    end.send(verdict(3, { id: end.all('subscribe')[0]!.id! }))
    expect(end.all('subscribe').at(-1)).toMatchObject({ since: { epoch: 'e1', offset: 1 } })
    give(end, 3, { recovered: 'full', messages: [message(2), message(3)] })
    expect(heard).toEqual([2, 3])
  })

  it('starts at the newest that were asked for while it was away, though the session is resumed', async () => {
    const stage = new Stage()
    silent(stage)
    const room = stage.client.channel('room:1')
    room.on('chat', () => {})
    const first = await stage.open()
    give(first, 3)
    silent(stage, welcome({ resumed: true, channels: ['room:1'] }))
    first.close(1006)
    void room.subscribe({ since: 'newest:5' })
    await stage.clock.pass(1000)
    expect(stage.end.all('subscribe')).toMatchObject([{ since: 'newest:5' }])
  })

  it('asks again when an unsubscribe that waited for its turn would end what a session resumed', async () => {
    const stage = new Stage()
    silent(stage, welcome({ inFlight: 1 }))
    const room = stage.client.channel('room:1')
    void room.subscribe()
    const first = await stage.open()
    give(first, 1)
    await settle()
    void stage.client.channel('room:2').publish('chat', 1)
    void room.unsubscribe().catch(() => {})
    silent(stage, welcome({ inFlight: 8, resumed: true, channels: ['room:1'] }))
    first.close(1006)
    void room.subscribe()
    await stage.clock.pass(1000)
    const sent = stage.end.arrived.filter(({ channel }) => channel === 'room:1').map(({ type }) => type)
    expect(sent.at(-1)).toBe('subscribe')
  })

  it('hears nothing more of what waits once it has unsubscribed, and hears it the next time', async () => {
    const stage = new Stage()
    silent(stage)
    const heard: unknown[] = []
    let finish = (): void => {}
    const room = stage.client.channel('room:1')
    room.on('chat', ({ data }) => {
      heard.push(data)
      return data === 1 && new Promise<void>((resolve) => (finish = resolve))
    })
    const end = await stage.open()
    give(end, 0)
    end.send(message(1), message(2), message(3))
    void room.unsubscribe()
    finish()
    await settle()
    expect(heard).toEqual([1])
    void room.subscribe()
    await settle()
    expect(end.all('subscribe').at(-1)).toMatchObject({ since: { epoch: 'e1', offset: 1 } })
    give(end, 3, { recovered: 'full', messages: [message(2), message(3)] })
    await settle()
    expect(heard).toEqual([1, 2, 3])
  })

  it('loses nothing between two loops over its messages', async () => {
    const stage = new Stage()
    silent(stage)
    const room = stage.client.channel('room:1')
    const heard: unknown[] = []
    const readOne = async (): Promise<void> => {
      for await (const { data } of room) {
        heard.push(data)
        break
      }
    }
    void readOne()
    const end = await stage.open()
    give(end, 0)
    end.send(message(1), message(2), message(3))
    await settle()
    void readOne()
    await settle()
    expect(end.all('subscribe').at(-1)).toMatchObject({ since: { epoch: 'e1', offset: 1 } })
    give(end, 3, { recovered: 'full', messages: [message(2), message(3)] })
    await settle()
    expect(heard).toEqual([1, 2])
  })

  it('ends a loop that is left while it waits', async () => {
    const stage = new Stage()
    const room = stage.client.channel('room:1')
    const loop = room[Symbol.asyncIterator]()
    const next = loop.next()
    await stage.open()
    const left = loop.return()
    await settle()
    expect(await Promise.race([left, Promise.resolve('still waits')])).toMatchObject({ done: true })
    expect(await next).toMatchObject({ done: true })
    await settle()
    expect(room.status).toBe('unsubscribed')
  })

  it('recovers what it turned away, though a gap is announced meanwhile', async () => {
    const stage = new Stage({ backlogMax: 1 })
    silent(stage)
    let finish = (): void => {}
    stage.client.channel('room:1').on('chat', () => new Promise<void>((resolve) => (finish = resolve)))
    const end = await stage.open()
    give(end, 0)
    const position = { epoch: 'e1', offset: 9, id: 'm9' }
    end.send(message(1), message(2), message(3))
    end.send({ type: 'gap', channel: 'room:1', from: 4, to: 9, reason: 'trimmed', position })
    for (let turn = 0; turn < 3; turn += 1) {
      finish()
      await settle()
    }
    expect(end.all('subscribe').at(-1)).toMatchObject({ since: { offset: 2 } })
  })
})

describe('a client that is closed', () => {
  it('is subscribed to nothing', async () => {
    const stage = new Stage()
    const room = stage.client.channel('room:1')
    room.on('chat', () => {})
    await stage.open()
    expect(room.status).toBe('subscribed')
    stage.client.disconnect()
    expect(room.status).toBe('subscribing')
  })

  it('stays closed when a listener closes it as it begins to connect', async () => {
    const stage = new Stage()
    stage.client.on('state', ({ state }) => state === 'connecting' && stage.client.disconnect())
    stage.client.connect()
    await stage.clock.pass(1000)
    expect(stage.client.status).toBe('closed')
    expect(stage.network.ends.filter(({ isOpen }) => isOpen)).toEqual([])
  })

  it('stays closed when the getter of its token closes it', async () => {
    const stage: Stage = new Stage({ token: () => (stage.client.disconnect(), null) })
    stage.client.connect()
    await stage.clock.pass(1000)
    expect(stage.client.status).toBe('closed')
    expect(stage.network.ends.filter(({ isOpen }) => isOpen)).toEqual([])
  })
})

describe('a client that is asked twice to move', () => {
  it('opens one new connection', async () => {
    const stage = new Stage()
    const first = await stage.open()
    stage.network.onConnect = () => {}
    first.send(moving)
    await stage.clock.pass(10)
    first.send(moving)
    await stage.clock.pass(10)
    expect(stage.network.ends).toHaveLength(2)
  })
})

describe('a command that is too long for the server', () => {
  it('leaves no timer behind', async () => {
    const stage = new Stage()
    await stage.open()
    const before = stage.clock.timers
    const refused = stage.client.channel('room:1').publish('chat', 'x'.repeat(70_000))
    await expect(refused).rejects.toMatchObject({ code: 'limit_exceeded' })
    expect(stage.clock.timers).toBe(before)
  })
})

describe('an operation that begins anew under its id', () => {
  const channel = 'operation:import-1'
  const event = (version: number, state: string, startedAt: string): object => {
    const progress = { done: version, total: 100, percent: version }
    const data = { id: 'import-1', kind: 'import', state, version, progress, startedAt, result: startedAt }
    return { ...message(undefined, `s${version}${startedAt}`, channel), event: state, data }
  }

  it('is followed to its end, though the server has forgotten how far the first one was', async () => {
    const stage = new Stage()
    stage.network.onConnect = (end) => {
      end.onCommand = (command) => answer(end, command)
      end.accept()
    }
    const job = stage.client.operation('import-1')
    let result: unknown
    void job.done.then((value) => (result = value))
    const end = await stage.open()
    end.send(event(50, 'running', '2026-01-01T00:00:00.000Z'))
    end.send(event(3, 'completed', '2026-01-01T00:01:00.000Z'))
    await settle()
    expect(result).toBe('2026-01-01T00:01:00.000Z')
  })
})

describe('an unsubscribe that a cut overtakes', () => {
  it('is done, because what comes next does not go on with the channel', async () => {
    const stage = new Stage()
    silent(stage)
    const room = stage.client.channel('room:1')
    const off = room.on('chat', () => {})
    const end = await stage.open()
    give(end, 0)
    off()
    await settle()
    end.close(1006)
    await settle()
    expect(stage.errors).toEqual([])
  })
})

describe('a loop over an operation', () => {
  it('ends when it is left while it waits', async () => {
    const stage = new Stage()
    const loop = stage.client.operation('import-1')[Symbol.asyncIterator]()
    const next = loop.next()
    await stage.open()
    const left = loop.return()
    await settle()
    expect(await Promise.race([left, Promise.resolve('still waits')])).toMatchObject({ done: true })
    expect(await next).toMatchObject({ done: true })
  })
})
