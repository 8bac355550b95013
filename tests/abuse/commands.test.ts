import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { Battlefield } from './kit/attack.js'
import { AttackedNode } from './kit/attacked-node.js'
import { RawSocket } from './kit/raw-socket.js'

let node: AttackedNode
let field: Battlefield<AttackedNode>

beforeAll(async () => {
  // Enough errors for one connection to be told of all of its own.
  node = await AttackedNode.start({ limits: { errorsMax: 10_000, refusalsPerSecondMax: 100_000 } })
  field = await Battlefield.on(node)
})

afterAll(async () => {
  await field.leave()
  await node.close()
})

type Answer = Readonly<Record<string, unknown>>

/** Says these texts on one connection, each a frame, and answers what each of them was told: all that came until a ping behind it was answered. */
function answersTo(...texts: readonly string[]): Promise<Answer[][]> {
  return field.attack(async () => {
    const socket = await RawSocket.welcomed(node, node.token('mallory'))
    const answers: Answer[][] = []
    for (const [at, text] of texts.entries()) {
      const before = socket.messages.length
      socket.say(text)
      socket.say({ type: 'ping', id: `after-${at}` })
      await socket.message('pong', { id: `after-${at}` })
      answers.push(socket.messages.slice(before).filter(({ id }) => id !== `after-${at}`))
    }
    socket.destroy()
    return answers
  })
}

const codesOf = (answers: Answer[][]): unknown[] =>
  answers.map((told) => told.map(({ code, type }) => code ?? type).join())

const commandWith = (data: string): string => `{"type":"publish","id":1,"channel":"room:parsed","data":${data}}`

describe('objects', () => {
  it('T-040 of very many members, and names that collide, are refused before they are parsed', async () => {
    const crafted = Array.from({ length: 5_000 }, (_, at) => `"${2 ** 31 + at * 4_096}":0`).join()
    // What parsing would take, whoever else works on this machine.
    const before = process.cpuUsage()
    const answers = await answersTo(
      commandWith(`{${crafted.slice(0, 64_000).replace(/,[^,]*$/, '')}}`),
      `{"type":"ping",${crafted.slice(0, 64_000).replace(/,[^,]*$/, '')}}`,
    )
    expect(codesOf(answers)).toEqual(['bad_request', 'bad_request'])
    expect(answers[0]?.[0]).toMatchObject({ message: 'the command has an object with more than 256 members' })
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1_000)
  })

  it('T-040 of as many members as allowed hold up nobody', async () => {
    const member = (at: number): string => `"${at * 65_536}":0`
    const one = `{${Array.from({ length: 256 }, (_, at) => member(at)).join()}}`
    const many = `[${Array.from({ length: Math.floor(60_000 / one.length) }, () => one).join()}]`
    const socket = await RawSocket.welcomed(node, node.token('mallory'))
    const lagBefore = field.neighbour.lagsMs.length
    for (let time = 0; time < 50; time += 1) socket.say(commandWith(many))
    await eventually('all are answered', () => socket.messages.filter(({ type }) => type === 'ok').length === 50)
    await field.neighbour.isWell()
    socket.destroy()
    expect(Math.max(...field.neighbour.lagsMs.slice(lagBefore))).toBeLessThan(500)
  })

  it('T-041 are counted by their newlines before a frame is split', async () => {
    const answers = await answersTo(
      '\n'.repeat(60_000),
      Array.from({ length: 65 }, () => '{"type":"ping"}').join('\n'),
      '{}\n'.repeat(20_000),
      `${'\n'.repeat(63)}{"type":"ping","id":7}`,
    )
    expect(codesOf(answers)).toEqual(['limit_exceeded', 'limit_exceeded', 'limit_exceeded', 'pong'])
  })

  const nested = (open: string, close: string, levels: number): string => open.repeat(levels) + close.repeat(levels)

  it('T-042 and arrays nested thousands of levels deep are refused wherever they stand, and whoever goes on is closed', async () => {
    const deep = [nested('[', ']', 10_000), nested('{"a":', '}', 9_000).replace('}', '0}'), nested('[', '', 60_000)]
    const places = deep.flatMap((data) => [
      commandWith(data),
      data,
      `{"type":"subscribe","channel":"room:parsed","presence":{"info":${data}}}`,
      `{"type":"state","data":${data}}`,
      `{"type":"call","method":"x","data":${data}}`,
      `{"type":"hello","client":${data}}`,
      `{"type":"unheard-of","x":${data}}`,
    ])
    expect(new Set(codesOf(await answersTo(...places)))).toEqual(new Set(['bad_request']))
    const edge = await answersTo(commandWith(nested('[', ']', 31)), commandWith(nested('[', ']', 32)))
    expect(codesOf(edge)).toEqual(['ok', 'bad_request'])

    const strict = await AttackedNode.start()
    const socket = await RawSocket.welcomed(strict, strict.token('mallory'))
    for (const place of places) socket.say(place)
    expect(await socket.ended()).toEqual({ code: 1008, reason: 'Too many errors' })
    expect(strict.log.of('protocol.violation', { rule: 'bad_request' }).length).toBeGreaterThan(5)
    await strict.close()
  })

  it('T-043 with absurd counts are refused, and nothing of that size is made', async () => {
    const heapBefore = process.memoryUsage().heapUsed
    const answers = await answersTo(
      '{"type":"history","channel":"room:parsed","limit":1000000000}',
      '{"type":"history","channel":"room:parsed","limit":1e9}',
      '{"type":"presence","channel":"room:parsed","limit":4294967296}',
      '{"type":"subscribe","channel":"room:parsed","since":"newest:1000000000"}',
      '{"type":"subscribe","channel":"room:parsed","since":"newest:99999"}',
      '{"type":"call","method":"x","timeout":1000000000}',
      `{"type":"subscribe","channel":[${'"room:a",'.repeat(7_000)}"room:a"]}`,
      `{"type":"hello","resume":{"session":"a","secret":"b","positions":{${Array.from({ length: 1_000 }, (_, at) => `"room:${at}":{"epoch":"e","offset":1}`).join()}}}}`,
    )
    expect(new Set(codesOf(answers))).toEqual(new Set(['bad_request', 'invalid_channel']))
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(64 * 1_048_576)
  })
})

describe('members of a command', () => {
  it('T-044 of other types than agreed are refused, and no inherited name is a command or a method', async () => {
    node.holdfast.method('known', { handler: () => 'known' })
    const wrong = [
      '{"type":"publish","channel":["room:a"],"data":1}',
      '{"type":"publish","channel":{"toString":"room:a"},"data":1}',
      '{"type":"publish","channel":"room:a","event":{"length":1},"data":1}',
      '{"type":"publish","channel":"room:a","key":7,"data":1}',
      '{"type":"publish","channel":"room:a"}',
      '{"type":"subscribe","channel":null}',
      '{"type":"subscribe","channel":"room:a","presence":"yes"}',
      '{"type":"call","method":["known"]}',
      '{"type":"call","method":{"_placeholder":true,"num":"splice"}}',
      '{"type":"ping","at":{}}',
      '{"type":"ack","channel":"user:mallory","offset":true}',
      '{"type":["publish"]}',
      '{"type":{"toString":"ping"}}',
      '{"type":null}',
      '{"id":{"toString":"a"},"type":"ping"}',
      '{"id":[],"type":"ping"}',
      '{"id":true,"type":"ping"}',
      '[{"type":"ping"}]',
      '"ping me"',
      '42',
      'null',
      'undefined',
      "{'type':'ping'}",
    ]
    expect(new Set(codesOf(await answersTo(...wrong)))).toEqual(new Set(['bad_request', 'invalid_channel']))
    const inherited = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']
    const types = await answersTo(...inherited.map((type) => JSON.stringify({ type, id: 1 })))
    expect(new Set(codesOf(types))).toEqual(new Set(['unknown_type']))
    const methods = await answersTo(...inherited.map((method) => JSON.stringify({ type: 'call', method, id: 1 })))
    expect(new Set(codesOf(methods))).toEqual(new Set(['unknown_method']))
  })

  it('T-045 named __proto__ and constructor are carried as they are or refused, and change no object', async () => {
    const poison = '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}'
    const told = await field.attack(async () => {
      const socket = await RawSocket.welcomed(node, node.token('mallory'))
      socket.say(`{"type":"subscribe","id":1,"channel":"room:poison","presence":{"info":${poison}}}`)
      await socket.message('subscribed', { id: 1 })
      socket.say(`{"type":"publish","id":2,"channel":"room:poison","data":${poison}}`)
      socket.say(`{"type":"state","id":3,"data":${poison}}`)
      socket.say(`{"type":"signal","channel":"room:poison","event":"x","data":${poison}}`)
      socket.say(`{"type":"ping","id":4,"__proto__":{"isAdmin":true},"constructor":1}`)
      socket.say(`{"type":"presence","id":5,"channel":"room:poison"}`)
      socket.say(`{"__proto__":{"type":"ping","id":6}}`)
      await socket.message('ok', { id: 5 })
      await socket.message('error')
      await socket.message('message')
      await socket.message('signal')
      socket.destroy()
      return socket.frames.map(({ payload }) => payload.toString('utf8')).join('\n')
    })
    expect(told).toContain(`"data":${poison}`)
    expect(told).toContain('"id":4')
    expect(told).not.toContain('"id":6')
    for (const object of [{}, [], () => 0]) expect((object as { isAdmin?: boolean }).isAdmin).toBeUndefined()
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  const OFFSETS = [
    '-1',
    '1.5',
    '1e400',
    '-1e400',
    '9007199254740993',
    '1e308',
    '"5"',
    'null',
    'true',
    '[5]',
    '{}',
    'NaN',
    '0x10',
  ]

  it('T-046 that are no offset are refused wherever one stands', async () => {
    const places = OFFSETS.flatMap((offset) => [
      `{"type":"subscribe","channel":"room:parsed","since":{"epoch":"e","offset":${offset}}}`,
      `{"type":"history","channel":"room:parsed","since":{"epoch":"e","offset":${offset}}}`,
      `{"type":"history","channel":"room:parsed","before":{"epoch":"e","offset":${offset}}}`,
      `{"type":"ack","channel":"user:mallory","offset":${offset}}`,
    ])
    expect(new Set(codesOf(await answersTo(...places)))).toEqual(new Set(['bad_request']))
  })

  it('T-046 that are no epoch or no id of a message are refused', async () => {
    const texts = ['', 'e'.repeat(10_240), 'a\u0000b', 'a b', 'é', '../x', 'a\r\nb', '\u202e']
    const places = [...texts.map((text) => JSON.stringify(text)), 'null', '5', '["e"]', '{}'].flatMap((epoch) => [
      `{"type":"subscribe","channel":"room:parsed","since":{"epoch":${epoch},"offset":1}}`,
      `{"type":"history","channel":"room:parsed","before":{"epoch":${epoch},"offset":1}}`,
    ])
    expect(new Set(codesOf(await answersTo(...places)))).toEqual(new Set(['bad_request']))
    const ids = ['a'.repeat(33), 'a\u0000b', '\u{1f600}'].map(
      (id) =>
        `{"type":"subscribe","channel":"room:parsed","since":{"epoch":"e","offset":1,"id":${JSON.stringify(id)}}}`,
    )
    expect(new Set(codesOf(await answersTo(...ids)))).toEqual(new Set(['bad_request']))
  })

  it('T-048 that name channels in other than plain characters are refused, and nothing of them is in the log', async () => {
    const names = [
      'room:a\u0000b',
      'room:a\r\nSET x 1',
      'room:a\tb',
      'room:\u202egnp.exe',
      'room:a\u200bb',
      'room:\ufeffa',
      'room:caf\u00e9',
      'room:cafe\u0301',
      'room:\u0430dmin',
      'room:\u{1f600}',
      'room:\ufffd',
      'r\u043eom:a',
      'ROOM:a',
      'room:a b',
      'room:a/b',
      'room:%61',
      'room:',
      ':a',
      'room',
    ]
    const quoted = [
      ...names.map((name) => JSON.stringify(name)),
      String.raw`"room:\ud800"`,
      String.raw`"room:\udc00\ud800"`,
    ]
    const places = quoted.flatMap((channel) => [
      `{"type":"subscribe","channel":${channel}}`,
      `{"type":"publish","channel":${channel},"data":1}`,
      `{"type":"history","channel":${channel}}`,
      `{"type":"presence","channel":${channel}}`,
    ])
    const codes = codesOf(await answersTo(...places))
    // A lone surrogate is refused before anything of the command is known.
    expect(new Set(codes)).toEqual(new Set(['invalid_channel', 'bad_request']))
    expect(codes.filter((code) => code === 'bad_request')).toHaveLength(8)
    expect(node.log.text).not.toMatch(/SET x 1|caf|\\u0000|gnp|exe/)
  })
})

describe('the order of commands', () => {
  it.each(['subscribe', 'publish', 'history', 'presence', 'call', 'refresh', 'ack', 'cancel', 'state', 'unsubscribe'])(
    'T-049 %s before hello ends the connection',
    async (type) => {
      const members = {
        channel: 'room:a',
        data: 1,
        method: 'known',
        token: 'a.b.c',
        offset: 1,
        operation: 'a',
      }
      const end = await field.attack(async () => {
        const socket = await RawSocket.upgraded(node)
        socket.say({ type, ...members })
        return socket.ended()
      })
      expect(end).toEqual({ code: 1008, reason: 'Bad request' })
    },
  )

  it('T-049 a second hello is refused and changes nobody, before the welcome and after it', async () => {
    await field.attack(async () => {
      const socket = await RawSocket.upgraded(node)
      const [mallory, other] = [node.token('mallory'), node.token('other', { roles: ['staff'] })]
      socket.say({ type: 'hello', id: 1, token: mallory }, { type: 'hello', id: 2, token: other })
      socket.say({ type: 'hello', id: 3, token: other })
      socket.say({ type: 'publish', id: 4, channel: 'staff:a', data: 1 })
      await socket.message('error', { id: 4, code: 'permission_denied' })
      expect(socket.messages.filter(({ type }) => type === 'welcome')).toMatchObject([{ id: 1, user: 'mallory' }])
      expect(socket.messages.filter(({ code }) => code === 'bad_request').map(({ id }) => id)).toEqual([2, 3])
      socket.destroy()
    })
  })

  it('T-049 ids are echoed as they came: zero, the same again, the largest', async () => {
    const ids = [0, 0, 7, 7, 2 ** 31, Number.MAX_SAFE_INTEGER, 'a'.repeat(64), '__proto__', ' ']
    const told = await answersTo(...ids.map((id) => JSON.stringify({ type: 'ping', id })))
    expect(told.map(([answer]) => answer?.['id'])).toEqual(ids)
    const wrong = ['-1', '1.5', '9007199254740992', '""', `"${'a'.repeat(65)}"`]
    expect(new Set(codesOf(await answersTo(...wrong.map((id) => `{"type":"ping","id":${id}}`))))).toEqual(
      new Set(['bad_request']),
    )
  })

  it('T-049 of very many commands at a time 32 are begun, and the rest is not read', async () => {
    let running = 0
    let most = 0
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const undo = node.holdfast.method('wait', {
      handler: async () => {
        running += 1
        most = Math.max(most, running)
        await released
        running -= 1
      },
    })
    await field.attack(async () => {
      const socket = await RawSocket.welcomed(node, node.token('mallory'))
      for (let id = 0; id < 1_000; id += 1) socket.say({ type: 'call', id, method: 'wait', timeout: 30_000 })
      await eventually('as many as may be are begun', () => running === 32)
      await field.neighbour.isWell()
      expect(most).toBe(32)
      release()
      await eventually('all are answered', () => socket.messages.filter(({ type }) => type === 'ok').length === 1_000)
      expect(most).toBe(32)
      socket.destroy()
    })
    undo()
  })
})
