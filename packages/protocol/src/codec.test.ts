import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  COMMANDS,
  type Decoded,
  DEFAULT_FRAME_LIMITS,
  decodeFrame,
  decodeServerFrame,
  ERRORS,
  isRefusal,
} from '@holdfast/protocol'

const limits = DEFAULT_FRAME_LIMITS
const decode = (frame: string): Decoded[] => decodeFrame(frame, limits)

function only(frame: string): Decoded {
  const [decoded, ...more] = decode(frame)
  expect(more).toEqual([])
  if (!decoded) throw new Error('nothing was decoded')
  return decoded
}

function errorOf(frame: string): string {
  const decoded = only(frame)
  return isRefusal(decoded) ? decoded.error : 'taken'
}

const publish = '{"type":"publish","id":7,"channel":"room:1","event":"chat","data":{"text":"hi"}}'

describe('decodeFrame', () => {
  it('takes every command, with the text of its data', () => {
    expect(only(publish)).toEqual({
      command: { type: 'publish', id: 7, channel: 'room:1', event: 'chat', data: { text: 'hi' } },
      data: '{"text":"hi"}',
    })
    expect(only('{"type":"ping"}')).toEqual({ command: { type: 'ping' }, data: undefined })
  })

  it('takes several commands of one frame in their order, blank lines and carriage returns ignored', () => {
    const frame = `{"type":"ping","id":1}\n\n${publish}\r\n{"type":"ping","id":2}\n`
    expect(decode(frame).map((decoded) => !isRefusal(decoded) && decoded.command.id)).toEqual([1, 7, 2])
  })

  it('refuses one command of a frame and takes the others', () => {
    const decoded = decode('{"type":"ping"}\nnonsense\n{"type":"ping"}')
    expect(decoded.map(isRefusal)).toEqual([false, true, false])
  })

  it('keeps data byte for byte: number spelling, spaces, duplicate names, escapes', () => {
    for (const data of [
      '1.0',
      '1e2',
      '12345678901234567890',
      '{ "a" : 1 , "a":2}',
      '"\\u0041\\/"',
      '[ ]',
      '{"b":1,"a":2}',
    ]) {
      const decoded = only(`{"type":"publish","channel":"room:1","data": ${data} ,"event":"e"}`)
      expect(isRefusal(decoded)).toBe(false)
      expect('data' in decoded && decoded.data).toBe(data)
    }
  })

  it('ignores members it does not know', () => {
    expect(errorOf('{"type":"ping","more":{"a":[1]},"__proto__":{"x":1},"constructor":1}')).toBe('taken')
    expect(({} as { x?: unknown }).x).toBeUndefined()
  })

  it('refuses a frame with too many commands before it is split', () => {
    const frame = (count: number): string => Array.from({ length: count }, () => '{"type":"ping"}').join('\n')
    expect(decode(frame(limits.commandsPerFrameMax))).toHaveLength(limits.commandsPerFrameMax)
    expect(decode(`${frame(limits.commandsPerFrameMax)}\n`)).toHaveLength(limits.commandsPerFrameMax)
    expect(errorOf(frame(limits.commandsPerFrameMax + 1))).toBe('limit_exceeded')
    expect(errorOf('\n'.repeat(60_000))).toBe('limit_exceeded')
  })

  it.each([
    '',
    ' ',
    '\n',
    '\n\n',
    'null',
    '1',
    '"ping"',
    '[]',
    '[{"type":"ping"}]',
    '{',
    '{"type":"ping"',
    '{"type":"ping"}}',
    '{}x',
    'ping',
    '\ufeff{"type":"ping"}',
    "{'type':'ping'}",
  ])('refuses %j, which is not a JSON object', (frame) => {
    const decoded = decode(frame)
    expect(decoded).toHaveLength(1)
    expect(decoded[0]).toMatchObject({ error: 'bad_request', malformed: true })
  })

  it.each([
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'Ping',
    'ping ',
    'welcome',
    'message',
    '',
  ])('answers the type %j as unknown and does not count it as malformed', (type) =>
    expect(only(JSON.stringify({ type, id: 'a' }))).toEqual({
      error: 'unknown_type',
      message: `type ${JSON.stringify(type)} is not a command`,
      id: 'a',
      malformed: false,
    }),
  )

  it.each(['1', 'null', '["ping"]', '{"toString":1}', 'true'])('refuses the type %s', (type) =>
    expect(errorOf(`{"type":${type}}`)).toBe('bad_request'),
  )

  it('echoes a valid id with a refusal and no other', () => {
    const idOf = (id: string): unknown => {
      const decoded = only(`{"type":"publish","channel":"room:1","id":${id}}`)
      return isRefusal(decoded) && decoded.id
    }
    expect(idOf('0')).toBe(0)
    expect(idOf('"a"')).toBe('a')
    for (const id of ['-1', '1.5', '""', `"${'a'.repeat(65)}"`, 'null', '{}', '9007199254740993', '[1]']) {
      expect(idOf(id)).toBeUndefined()
    }
  })

  it('says which field is wrong, and names a bad channel as such', () => {
    expect(only('{"type":"history","channel":"room:1","limit":0,"id":1}')).toMatchObject({
      error: 'bad_request',
      message: 'limit must be an integer from 1 to 1000, received 0',
      id: 1,
    })
    expect(errorOf('{"type":"subscribe","channel":"room"}')).toBe('invalid_channel')
    expect(errorOf('{"type":"subscribe","channel":["room:1"]}')).toBe('invalid_channel')
    expect(errorOf('{"type":"subscribe"}')).toBe('invalid_channel')
  })

  it.each(['-1', '1.5', '1e400', '9007199254740993', '"5"', 'null'])(
    'refuses a position with the offset %s',
    (offset) => {
      const since = `{"epoch":"e1","offset":${offset}}`
      expect(errorOf(`{"type":"subscribe","channel":"room:1","since":${since}}`)).toBe('bad_request')
      expect(errorOf(`{"type":"ack","channel":"user:1","offset":${offset}}`)).toBe('bad_request')
      const resume = `{"session":"s","secret":"x","positions":{"room:1":${since}}}`
      expect(errorOf(`{"type":"hello","resume":${resume}}`)).toBe('bad_request')
    },
  )

  it.each(['"e\\u0000"', `"${'e'.repeat(10_240)}"`, '""', 'null', '1'])(
    'refuses a position with the epoch %s',
    (epoch) =>
      expect(errorOf(`{"type":"subscribe","channel":"room:1","since":{"epoch":${epoch},"offset":1}}`)).toBe(
        'bad_request',
      ),
  )

  it('never repeats a token or a session secret', () => {
    const long = 'S3CRET'.repeat(2000)
    for (const frame of [
      { type: 'hello', token: long },
      { type: 'refresh', token: long },
    ]) {
      expect(JSON.stringify(only(JSON.stringify(frame)))).not.toContain('S3CRET')
    }
    const resume = { session: 's', secret: long.slice(0, 200), positions: {} }
    expect(JSON.stringify(only(JSON.stringify({ type: 'hello', resume })))).not.toContain('S3CRET')
  })

  it('names no data twice, whatever the spelling', () => {
    expect(errorOf('{"type":"publish","channel":"room:1","data":1,"data":2}')).toBe('bad_request')
    expect(errorOf('{"type":"publish","channel":"room:1","data":1,"d\\u0061ta":2}')).toBe('bad_request')
  })
})

describe('decodeFrame, for any text', () => {
  function isTotal(frame: string): void {
    const decoded = decode(frame)
    expect(decoded.length).toBeGreaterThan(0)
    for (const one of decoded) {
      if (isRefusal(one)) expect(Object.keys(ERRORS)).toContain(one.error)
      else {
        expect(Object.keys(COMMANDS)).toContain(one.command.type)
        // What travels on and what was checked are the same value.
        if ('data' in one.command) expect(JSON.parse(one.data ?? 'nothing')).toEqual(one.command.data)
        else expect(one.data).toBeUndefined()
      }
    }
  }

  it('returns a verdict', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), isTotal), { numRuns: 1000 })
    fc.assert(fc.property(fc.json(), isTotal), { numRuns: 500 })
  })

  it('returns a verdict for any command cut, glued and altered at any place', () => {
    const seeds = [
      publish,
      '{"type":"hello","token":"t","resume":{"session":"s","secret":"x","positions":{"room:1":{"epoch":"e","offset":3,"id":"i"}}}}',
      '{"type":"subscribe","channel":"room:1","since":"newest:10","presence":true}',
      '{"type":"call","method":"m","data":[1,2,{"a":"\\ud83d\\ude00"}],"timeout":1000}',
      '{"type":"ping"}\n{"type":"ping","at":1.5}',
    ]
    const piece = fc.constantFrom(
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '\n',
      '\\u',
      '"data":',
      '1e999',
      'null',
      '\u0000',
      '\ud800',
    )
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.nat(), fc.nat({ max: 3 }), piece, (seed, place, removed, inserted) => {
        const at = place % (seed.length + 1)
        isTotal(seed.slice(0, at) + inserted + seed.slice(at + removed))
      }),
      { numRuns: 2000 },
    )
    for (const seed of seeds) for (let at = 0; at < seed.length; at += 1) isTotal(seed.slice(0, at))
  })

  it.each([
    ['opening brackets', '['],
    ['opening braces', '{"a":'],
    ['quotes', '"'],
    ['escapes', '"\\u'],
    ['digits', '1'],
    ['signs', '-'],
    ['colons', ':'],
    ['closing brackets', ']'],
    ['commas', ','],
    ['exponents', '1e'],
    ['numbers', '1e308,'],
    ['names', '{"a":1},'],
    ['blank lines', ' \n'],
  ])('takes time in proportion to its length for endless %s', (_name, unit) => {
    const timeOf = (length: number): number => {
      const frame = `{"type":"publish","channel":"room:1","data":${unit.repeat(length / unit.length)}`
      const times = Array.from({ length: 5 }, () => {
        // Of the processor, not of the clock: another program may be at work, too.
        const before = process.cpuUsage()
        decode(frame)
        const { user, system } = process.cpuUsage(before)
        return (user + system) / 1_000
      })
      return Math.min(...times)
    }
    timeOf(65_536)
    // Sixteen times the text: a quadratic reading would take 256 times as long.
    expect(timeOf(1_048_576)).toBeLessThan(64 * Math.max(timeOf(65_536), 0.5))
  })
})

describe('decodeServerFrame', () => {
  const message =
    '{"type":"message","channel":"room:1","id":"m1","offset":1,"event":"chat","data":1,"from":{"user":"ada"},"at":"2026-01-01T00:00:00.000Z"}'

  it('takes the messages of a frame in their order', () => {
    expect(decodeServerFrame(`${message}\n{"type":"ping","at":"x"}`).map(({ type }) => type)).toEqual([
      'message',
      'ping',
    ])
  })

  it('leaves out what it does not know and keeps the rest', () => {
    const frame = [
      '{"type":"newer"}',
      'nonsense',
      '[]',
      '{"type":"constructor"}',
      '{"type":["ping"]}',
      '',
      message,
    ].join('\n')
    expect(decodeServerFrame(frame).map(({ type }) => type)).toEqual(['message'])
    expect(decodeServerFrame(message.replace('"offset":1', '"offset":0'))).toEqual([])
  })

  it('returns for any text whatever', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void decodeServerFrame(text)))
    fc.assert(
      fc.property(fc.nat({ max: message.length }), fc.string({ maxLength: 3 }), (at, noise) => {
        decodeServerFrame(message.slice(0, at) + noise + message.slice(at + 1))
      }),
    )
  })
})
