import { describe, expect, it } from 'vitest'
import type { CursorStore } from './cursor-store.js'
import type { Gap } from './dispatcher.js'
import { Stage, answer, message, verdict, welcome } from './testing/scripted-server.js'
import { settle } from './testing/simulated-clock.js'
import type { FarEnd } from './testing/simulated-network.js'

/** A server that answers `hello` with this welcome and is played by hand in everything else. */
function welcomedBy(stage: Stage, greeting: object): void {
  stage.network.onConnect = (end) => {
    end.onCommand = ({ type }) => type === 'hello' && end.send(greeting)
    end.accept()
  }
}

/** Answers the last subscribe of `room:1`. */
function give(end: FarEnd, to: number, more: Parameters<typeof verdict>[1] = {}): void {
  end.send(verdict(to, { id: end.all('subscribe').at(-1)!.id!, ...more }))
}

async function listening(stage: Stage): Promise<{ end: FarEnd; heard: unknown[] }> {
  const heard: unknown[] = []
  welcomedBy(stage, welcome())
  stage.client.channel('room:1').on('chat', ({ data }) => heard.push(data))
  const end = await stage.open()
  give(end, 0)
  return { end, heard }
}

describe('a channel', () => {
  it('subscribes once for all its first listeners, and unsubscribes after the last undo', async () => {
    const stage = new Stage()
    const room = stage.client.channel('room:1')
    const offs = [room.on('chat', () => {}), room.on('*', () => {}), room.presence.on('change', () => {})]
    const end = await stage.open()
    expect(end.all('subscribe')).toEqual([{ type: 'subscribe', id: 1, channel: 'room:1', presence: true }])
    expect(room.status).toBe('subscribed')
    offs[0]!()
    offs[0]!()
    await settle()
    expect(room.status).toBe('subscribed')
    offs[1]!()
    await settle()
    expect(end.all('unsubscribe')).toHaveLength(1)
    expect(room.status).toBe('unsubscribed')
  })

  it('keeps an explicit subscription until unsubscribe', async () => {
    const stage = new Stage()
    const room = stage.client.channel('room:1')
    const begun = room.subscribe({ since: 'newest:5', presence: { info: { name: 'Ada' } } })
    const off = room.on('*', () => {})
    const end = await stage.open()
    expect(await begun).toMatchObject({ recovered: 'new', messages: 0 })
    expect(end.all('subscribe')).toMatchObject([{ since: 'newest:5', presence: { info: { name: 'Ada' } } }])
    off()
    await settle()
    expect(room.status).toBe('subscribed')
    await room.unsubscribe()
    expect(room.status).toBe('unsubscribed')
  })

  it('goes on after its position when it was left and is listened to again', async () => {
    const stage = new Stage()
    const { end } = await listening(stage)
    const room = stage.client.channel('room:1')
    end.send(message(1))
    void room.unsubscribe()
    end.send(message(2))
    void room.subscribe()
    await settle()
    expect(end.all('subscribe').at(-1)).toMatchObject({ since: { epoch: 'e1', offset: 1, id: 'm1' } })
  })

  it('tells a refusal to whoever waits and to listeners, and does not ask again', async () => {
    const stage = new Stage()
    welcomedBy(stage, welcome())
    const room = stage.client.channel('room:1')
    const codes: string[] = []
    room.on('unsubscribed', ({ code }) => codes.push(code))
    const begun = room.subscribe()
    const end = await stage.open()
    const id = end.all('subscribe')[0]!.id
    end.send({ type: 'error', id, code: 'permission_denied', message: 'Not allowed', retryable: false })
    await expect(begun).rejects.toMatchObject({ code: 'permission_denied' })
    await stage.clock.pass(60_000)
    expect(codes).toEqual(['permission_denied'])
    expect(end.all('subscribe')).toHaveLength(1)
  })

  it('asks again after a retryable refusal, when the server says', async () => {
    const stage = new Stage()
    welcomedBy(stage, welcome())
    stage.client.channel('room:1').on('*', () => {})
    const end = await stage.open()
    const id = end.all('subscribe')[0]!.id
    end.send({ type: 'error', id, code: 'recovery_overflow', message: '', retryable: true, retryAfter: 5000 })
    await stage.clock.pass(4999)
    expect(end.all('subscribe')).toHaveLength(1)
    await stage.clock.pass(1)
    expect(end.all('subscribe')).toHaveLength(2)
  })

  it('hears nothing more after access ended, also after a reconnect', async () => {
    const stage = new Stage()
    const { end, heard } = await listening(stage)
    end.send(
      { type: 'unsubscribed', channel: 'room:1', code: 'permission_denied', message: 'Not any more' },
      message(1),
    )
    end.close(1006)
    await stage.clock.pass(1000)
    expect(stage.client.status).toBe('open')
    expect(stage.end.all('subscribe')).toEqual([])
    expect(heard).toEqual([])
  })
})

describe('a session', () => {
  it('offers its positions, and lets resumed channels go on by themselves', async () => {
    const stage = new Stage()
    const { end, heard } = await listening(stage)
    end.send(message(1))
    welcomedBy(stage, welcome({ resumed: true, channels: ['room:1'] }))
    end.close(1006)
    await stage.clock.pass(1000)
    expect(stage.end.arrived).toMatchObject([
      {
        type: 'hello',
        resume: { session: 's1', secret: 'secret', positions: { 'room:1': { epoch: 'e1', offset: 1, id: 'm1' } } },
      },
    ])
    stage.end.send(message(9))
    expect(heard).toEqual([1])
    stage.end.send(verdict(3, { recovered: 'full', messages: [message(2), message(3)] }), message(4))
    expect(heard).toEqual([1, 2, 3, 4])
  })

  it('asks for every channel with its position when the session is gone', async () => {
    const stage = new Stage()
    const { end } = await listening(stage)
    end.send(message(1))
    end.close(1006)
    await stage.clock.pass(1000)
    expect(stage.end.all('subscribe')).toMatchObject([
      { channel: 'room:1', since: { epoch: 'e1', offset: 1, id: 'm1' } },
    ])
  })

  it('asks for channels that the resumed session does not have, and leaves those that nobody wants', async () => {
    const stage = new Stage()
    const { end } = await listening(stage)
    const other = stage.client.channel('room:2')
    other.on('*', () => {})
    await settle()
    give(end, 0, { channel: 'room:2' })
    welcomedBy(stage, welcome({ resumed: true, channels: ['room:2'] }))
    end.close(1006)
    void other.unsubscribe()
    await stage.clock.pass(1000)
    expect(stage.end.all('subscribe')).toMatchObject([{ channel: 'room:1', since: { offset: 0 } }])
    expect(stage.end.all('unsubscribe')).toMatchObject([{ channel: 'room:2' }])
  })

  it('keeps hello within 16 KiB and asks for the rest with their positions', async () => {
    const stage = new Stage()
    const names = Array.from({ length: 150 }, (_, index) => `room:${'x'.repeat(150)}${index}`)
    for (const name of names) stage.client.channel(name).on('*', () => {})
    welcomedBy(stage, welcome())
    await stage.open()
    for (let answered = 0; answered < names.length; answered += 1) {
      const { id, channel } = stage.end.all('subscribe')[answered]!
      stage.end.send(verdict(5, { id: id!, channel: String(channel) }))
    }
    welcomedBy(stage, welcome({ resumed: true, channels: names }))
    stage.end.close(1006)
    await stage.clock.pass(1000)
    const hello = stage.end.arrived[0] as unknown as { resume: { positions: object } }
    const offered = Object.keys(hello.resume.positions)
    expect(JSON.stringify(hello).length).toBeLessThanOrEqual(16_384)
    expect(offered.length).toBeGreaterThan(50)
    const [next] = stage.end.all('subscribe')
    expect(next).toMatchObject({ channel: names[offered.length], since: { epoch: 'e1', offset: 5 } })
    // What the server tells of a channel that it resumed without a position is not the verdict that was asked for.
    stage.end.send(verdict(9, { channel: names[offered.length]! }), message(10, 'm10', names[offered.length]))
    expect(stage.client.statistics.messages).toBe(0)
  })

  it('sets its state again where a session begins anew', async () => {
    const stage = new Stage()
    await stage.open()
    await stage.client.state({ page: 3 })
    stage.end.close(1006)
    await stage.clock.pass(1000)
    expect(stage.end.all('state')).toMatchObject([{ data: { page: 3 } }])
  })

  it('refreshes its token when the server says that it expires', async () => {
    let asked = 0
    const stage = new Stage({ token: () => `token-${(asked += 1)}` })
    const end = await stage.open()
    end.send({ type: 'notice', code: 'token_expiring', message: 'soon' })
    await settle()
    expect(end.all('refresh')).toMatchObject([{ token: 'token-2' }])
  })
})

describe('delivery', () => {
  it('hands on each message once, in order', async () => {
    const stage = new Stage()
    const { end, heard } = await listening(stage)
    end.send(message(1), message(2), message(2), message(1), message(3))
    end.send(message(undefined, 'live'), message(undefined, 'live'))
    expect(heard).toEqual([1, 2, 3, 'live'])
    expect(stage.client.statistics).toMatchObject({ messages: 4, duplicatesDropped: 3 })
  })

  it('drops a message that came without an offset when it comes again with one, and still moves on', async () => {
    const stage = new Stage()
    const { end, heard } = await listening(stage)
    end.send(message(undefined, 'a'), message(1, 'a'), message(2, 'b'))
    expect(heard).toEqual(['a', 2])
    expect(stage.client.channel('room:1').position).toEqual({ epoch: 'e1', offset: 2, id: 'b' })
  })

  it('waits for the promise of a handler before the next message, and moves the position only then', async () => {
    const saved: number[] = []
    const cursorStore: CursorStore = { load: () => undefined, save: (_, { offset }) => void saved.push(offset) }
    const stage = new Stage({ cursorStore })
    welcomedBy(stage, welcome())
    const room = stage.client.channel('room:1')
    const begun: unknown[] = []
    const finish: (() => void)[] = []
    room.on('chat', ({ data }) => {
      begun.push(data)
      return new Promise<void>((resolve) => finish.push(resolve))
    })
    const end = await stage.open()
    give(end, 0)
    end.send(message(1), message(2))
    expect([begun, room.position?.offset]).toEqual([[1], 0])
    finish[0]!()
    await settle()
    expect([begun, room.position?.offset]).toEqual([[1, 2], 1])
    finish[1]!()
    await settle()
    expect(room.position?.offset).toBe(2)
    expect(saved).toEqual([0, 1, 2])
  })

  it('reports a handler that fails, and goes on', async () => {
    const stage = new Stage()
    const { end, heard } = await listening(stage)
    stage.client.channel('room:1').on('chat', ({ data }) => {
      if (data === 1) throw new Error('one')
      return data === 2 ? Promise.reject(new Error('two')) : undefined
    })
    end.send(message(1), message(2), message(3))
    await settle()
    expect(heard).toEqual([1, 2, 3])
    expect(stage.errors).toMatchObject([
      { code: 'handler_failed', cause: new Error('one') },
      { code: 'handler_failed' },
    ])
  })

  it('announces a gap after what came before it and before any later message', async () => {
    const stage = new Stage()
    const { end, heard } = await listening(stage)
    stage.client.channel('room:1').on('gap', (gap) => heard.push(gap))
    end.send(message(1))
    end.send({ type: 'gap', channel: 'room:1', from: 2, to: 4, reason: 'trimmed' }, message(5), message(4))
    const gap: Gap = { channel: 'room:1', from: 2, to: 4, reason: 'trimmed' }
    expect(heard).toEqual([1, gap, 5])
    end.close(1006)
    await stage.clock.pass(1000)
    const lost = { from: 6, to: null, reason: 'epoch_changed' }
    give(stage.end, 2, { epoch: 'e2', recovered: 'gap', gap: lost, messages: [message(1, 'x'), message(2, 'y')] })
    expect(heard.slice(3)).toEqual([{ channel: 'room:1', ...lost }, 1, 2])
    expect(stage.client.channel('room:1').position).toMatchObject({ epoch: 'e2', offset: 2 })
  })

  it('starts where the cursor store says', async () => {
    const load = async (): Promise<{ epoch: string; offset: number }> => ({ epoch: 'e1', offset: 7 })
    const stage = new Stage({ cursorStore: { load, save: () => {} } })
    stage.client.channel('room:1').on('*', () => {})
    const end = await stage.open()
    expect(end.all('subscribe')).toMatchObject([{ since: { epoch: 'e1', offset: 7 } }])
  })

  it('turns messages away when a handler is too slow, and recovers them from the log', async () => {
    const stage = new Stage({ backlogMax: 3 })
    welcomedBy(stage, welcome())
    const heard: unknown[] = []
    let finish = (): void => {}
    stage.client.channel('room:1').on('chat', ({ data }) => {
      heard.push(data)
      return data === 1 ? new Promise<void>((resolve) => (finish = resolve)) : undefined
    })
    const end = await stage.open()
    give(end, 0)
    for (let offset = 1; offset <= 10; offset += 1) end.send(message(offset))
    finish()
    await settle()
    expect(heard).toEqual([1, 2, 3, 4])
    expect(end.all('subscribe').at(-1)).toMatchObject({ since: { offset: 4 } })
    end.send(message(11))
    give(end, 11, { recovered: 'full', messages: [5, 6, 7, 8, 9, 10, 11].map((offset) => message(offset)) })
    expect(heard).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  it('announces that unstored messages were turned away', async () => {
    const stage = new Stage({ backlogMax: 1 })
    welcomedBy(stage, welcome())
    const gaps: Gap[] = []
    let finish = (): void => {}
    const room = stage.client.channel('room:1')
    room.on('chat', () => new Promise<void>((resolve) => (finish = resolve)))
    room.on('gap', (gap) => gaps.push(gap))
    const end = await stage.open()
    give(end, 0)
    for (const id of ['a', 'b', 'c']) end.send(message(undefined, id))
    finish()
    await settle()
    finish()
    await settle()
    give(end, 0)
    expect(gaps).toMatchObject([{ reason: 'overflow', to: null }])
  })

  it('hears one link at a time during a hand-over: nothing is lost, nothing comes twice', async () => {
    const stage = new Stage()
    const { end: old, heard } = await listening(stage)
    old.send(message(1))
    welcomedBy(stage, welcome({ resumed: true, channels: ['room:1'] }))
    old.send({ type: 'goodbye', code: 1012, message: 'Service restart', reconnect: 'now', after: 0 })
    await stage.clock.pass(0)
    const successor = stage.end
    expect(successor).not.toBe(old)
    old.send(message(2))
    successor.send(message(4))
    expect(old.closedBy).toBeUndefined()
    successor.send(verdict(3, { recovered: 'full', messages: [message(2), message(3)] }))
    expect(old.closedBy).toBeDefined()
    old.send(message(3))
    successor.send(message(4))
    expect(heard).toEqual([1, 2, 3, 4])
    expect(stage.states).toEqual(['connecting', 'open'])
  })
})

describe('the beginning of a subscription', () => {
  it('is told at first and after a break, but not where a move to another node broke nothing', async () => {
    const stage = new Stage()
    const told: string[] = []
    const room = stage.client.channel('room:1')
    room.on('subscribed', ({ recovered }) => told.push(recovered))
    stage.network.onConnect = (end) => {
      end.onCommand = (command) => {
        if (command.type !== 'subscribe') return answer(end, command)
        end.send(verdict(0, { id: command.id!, recovered: command['since'] ? 'full' : 'new' }))
      }
      end.accept()
    }
    const first = await stage.open()
    first.send({ type: 'goodbye', code: 1012, message: 'Service restart', reconnect: 'now', after: 0 })
    await stage.clock.pass(0)
    expect([stage.end === first, told]).toEqual([false, ['new']])
    stage.end.close(1006)
    await stage.clock.pass(1000)
    expect(told).toEqual(['new', 'full'])
    await room.unsubscribe()
    await room.subscribe()
    expect(told).toEqual(['new', 'full', 'full'])
  })

  it('is told when a move to another node lost something', async () => {
    const stage = new Stage()
    const { end } = await listening(stage)
    const told: unknown[] = []
    stage.client.channel('room:1').on('subscribed', ({ gap }) => told.push(gap?.reason))
    stage.client.channel('room:1').on('gap', ({ reason }) => told.push(reason))
    end.send({ type: 'goodbye', code: 1012, message: 'Service restart', reconnect: 'now', after: 0 })
    await stage.clock.pass(0)
    give(stage.end, 9, { recovered: 'gap', gap: { from: 1, to: 9, reason: 'trimmed' } })
    expect(told).toEqual(['trimmed', 'trimmed'])
  })
})

describe('a loop over a channel', () => {
  it('takes one message at a time and ends with unsubscribe', async () => {
    const stage = new Stage()
    welcomedBy(stage, welcome())
    const room = stage.client.channel('room:1')
    const heard: unknown[] = []
    const loop = (async () => {
      for await (const { data } of room) {
        heard.push(data)
        expect(room.position!.offset).toBe(Number(data) - 1)
      }
    })()
    const end = await stage.open()
    give(end, 0)
    end.send(message(1), message(2), message(3))
    await settle()
    expect(heard).toEqual([1, 2, 3])
    void room.unsubscribe()
    await loop
  })

  it('ends with disconnect, and stops the subscription when it is left', async () => {
    const stage = new Stage()
    const { end } = await listening(stage)
    const reader = stage.client.channel('room:1')[Symbol.asyncIterator]()
    const first = reader.next()
    end.send(message(1))
    expect((await first).value).toMatchObject({ data: 1, offset: 1 })
    const second = reader.next()
    stage.client.disconnect()
    expect(await second).toEqual({ value: undefined, done: true })
    expect(await reader.next()).toEqual({ value: undefined, done: true })
  })
})

describe('presence and typing', () => {
  const member = (user: string, connections = 1): object => ({ user, connections })
  const moved = (type: string, user: string, members: number): object => ({
    type,
    channel: 'room:1',
    member: member(user),
    counts: { members, connections: members },
  })

  it('knows who is here, and tells the difference after a reconnect', async () => {
    const stage = new Stage()
    const { presence } = stage.client.channel('room:1')
    const told: string[] = []
    presence.on('joined', ({ user }) => told.push(`+${user}`))
    presence.on('left', ({ user }) => told.push(`-${user}`))
    const { end } = await listening(stage)
    give(end, 0)
    end.send({ ...verdict(0), members: [member('ada')], counts: { members: 1, connections: 1 } })
    expect(told).toEqual([])
    end.close(1006)
    await stage.clock.pass(1000)
    give(stage.end, 0, { members: [member('ada'), member('bob', 2)], counts: { members: 2, connections: 3 } } as object)
    stage.end.send(moved('joined', 'eve', 3), moved('left', 'ada', 2))
    expect(told).toEqual(['+ada', '+bob', '+eve', '-ada'])
    expect([...presence.members.keys()]).toEqual(['bob', 'eve'])
    expect(presence.counts).toEqual({ members: 2, connections: 2 })
  })

  it('tells once of somebody who is in the first list already and announced a moment later', async () => {
    const stage = new Stage()
    const room = stage.client.channel('room:1')
    const told: string[] = []
    room.presence.on('joined', ({ user }) => told.push(`+${user}`))
    room.on('chat', () => undefined)
    welcomedBy(stage, welcome())
    const end = await stage.open()
    give(end, 0, { members: [member('ada')], counts: { members: 1, connections: 1 } } as object)
    expect(told).toEqual(['+ada'])
    end.send(moved('joined', 'ada', 1), moved('joined', 'bob', 2))
    expect(told).toEqual(['+ada', '+bob'])
    expect(room.presence.counts.members).toBe(2)
  })

  it('tells who types, forgets them after five seconds, and says little itself', async () => {
    const stage = new Stage()
    const { end } = await listening(stage)
    const room = stage.client.channel('room:1')
    const told: unknown[] = []
    room.on('typing', ({ user, active, typers }) => told.push([user, active, typers]))
    const typing = (user: string, active: boolean): object => ({
      type: 'signal',
      channel: 'room:1',
      event: 'typing',
      data: { active },
      from: { user },
      at: '',
    })
    end.send(typing('bob', true), typing('bob', true), typing('ada', true))
    await stage.clock.pass(4999)
    expect(room.typers).toEqual(['bob'])
    await stage.clock.pass(1)
    expect(told).toEqual([
      ['bob', true, ['bob']],
      ['bob', false, []],
    ])
    for (let stroke = 0; stroke < 30; stroke += 1) {
      room.typing(true)
      await stage.clock.pass(100)
    }
    room.typing(false)
    room.typing(false)
    expect(end.all('signal').map(({ data }) => data)).toEqual([{ active: true }, { active: true }, { active: false }])
  })
})

describe('an inbox', () => {
  const inbox = { channels: ['user:ada'] }

  it('begins with what is not acknowledged, and acknowledges what was handled', async () => {
    const stage = new Stage()
    stage.network.onConnect = (end) => {
      end.onCommand = (command) => {
        if (command.type !== 'hello') return answer(end, command)
        end.send(
          welcome(inbox),
          verdict(5, { channel: 'user:ada', messages: [message(4, 'm4', 'user:ada'), message(5, 'm5', 'user:ada')] }),
        )
      }
      end.accept()
    }
    const heard: unknown[] = []
    stage.client.inbox<{ chat: number }>({ autoAck: true }).on('chat', ({ data }) => heard.push(data))
    const end = await stage.open()
    expect(heard).toEqual([4, 5])
    expect(end.all('ack')).toMatchObject([{ channel: 'user:ada', offset: 5 }])
    expect(end.all('subscribe')).toEqual([])
  })

  it('starts there also for whoever listens late', async () => {
    const stage = new Stage()
    welcomedBy(stage, welcome(inbox))
    const end = await stage.open()
    end.send(
      verdict(5, { channel: 'user:ada', messages: [message(4, 'm4', 'user:ada'), message(5, 'm5', 'user:ada')] }),
    )
    stage.client.inbox().on('notification', () => {})
    await settle()
    expect(end.all('subscribe')).toMatchObject([{ channel: 'user:ada', since: { epoch: 'e1', offset: 3 } }])
  })

  it('sends an acknowledgement again that was lost', async () => {
    const stage = new Stage()
    welcomedBy(stage, welcome(inbox))
    const end = await stage.open()
    stage.client.inbox().ack(3)
    stage.client.inbox().ack(7)
    stage.client.inbox().ack(5)
    end.close(1006)
    await stage.clock.pass(1000)
    expect(stage.end.all('ack')).toMatchObject([{ offset: 3 }])
    stage.end.send({ type: 'ok', id: stage.end.all('ack')[0]!.id })
    await settle()
    expect(stage.end.all('ack')).toMatchObject([{ offset: 3 }, { offset: 7 }])
  })

  it('is that of whoever signed in last', async () => {
    let user = 'ada'
    const stage = new Stage({ token: () => user })
    stage.network.onConnect = (end) => {
      end.onCommand = (command) => {
        const name = `user:${user}`
        if (command.type !== 'hello') return answer(end, command)
        const greeting = { ...welcome({ channels: [name] }), user }
        end.send(greeting, verdict(1, { channel: name, messages: [message(1, `${user}1`, name)] }))
      }
      end.accept()
    }
    const inbox = stage.client.inbox<{ chat: number }>({ autoAck: true })
    const heard: unknown[] = []
    const off = inbox.on('chat', ({ id }) => heard.push(id))
    const first = await stage.open()
    stage.client.disconnect()
    user = 'bob'
    const second = await stage.open()
    await settle()
    expect(heard).toEqual(['ada1', 'bob1'])
    expect([first, second].map((end) => end.all('ack'))).toMatchObject([
      [{ channel: 'user:ada', offset: 1 }],
      [{ channel: 'user:bob', offset: 1 }],
    ])
    expect(second.arrived.map(({ type }) => type)).toEqual(['hello', 'ack'])
    second.send(message(2, 'ada2', 'user:ada'), message(2, 'bob2', 'user:bob'))
    off()
    second.send(message(3, 'bob3', 'user:bob'))
    await settle()
    expect(heard).toEqual(['ada1', 'bob1', 'bob2'])
    expect(inbox.channel?.name).toBe('user:bob')
  })
})
