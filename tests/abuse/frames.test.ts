import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { Battlefield } from './kit/attack.js'
import { AttackedNode } from './kit/attacked-node.js'
import { type FrameOptions, OPCODE, RawSocket, frame, upgradeRequest } from './kit/raw-socket.js'

let node: AttackedNode
let field: Battlefield<AttackedNode>

beforeAll(async () => {
  node = await AttackedNode.start()
  field = await Battlefield.on(node)
})

afterAll(async () => {
  await field.leave()
  await node.close()
})

let attacks = 256

/** How a connection ends, who said what, and what the audit trail says of it. */
interface Outcome {
  readonly code: number
  readonly reason: string
  readonly afterMs: number
  readonly messages: RawSocket['messages']
  readonly rules: readonly unknown[]
}

/** Says this on a connection that was welcomed, or was only upgraded, and tells how it ends. */
function sending(bytes: readonly Buffer[], { welcomed = true } = {}): Promise<Outcome> {
  return field.attack(async () => {
    // From an address of its own: of one address the trail tells ten times a second.
    const from = { port: node.port, localAddress: `127.0.${(attacks += 1) >> 8}.${attacks & 255}` }
    const socket = await (welcomed ? RawSocket.welcomed(from, node.token('mallory')) : RawSocket.upgraded(from))
    const said = node.log.of('protocol.violation').length
    const sentAt = machineTime()
    for (const some of bytes) socket.write(some)
    const { code, reason } = await socket.refused()
    const afterMs = machineTime() - sentAt
    await socket.ended()
    const rules = node.log.of('protocol.violation').slice(said)
    return { code, reason, afterMs, messages: socket.messages, rules: rules.map(({ rule }) => rule) }
  })
}

const PING = JSON.stringify({ type: 'ping', id: 1 })

describe('a frame against the standard', () => {
  const violations: [string, Buffer[], string][] = [
    ['with the first reserved bit', [frame(PING, { reserved: 4 })], 'WS_ERR_UNEXPECTED_RSV_1'],
    ['with the second reserved bit', [frame(PING, { reserved: 2 })], 'WS_ERR_UNEXPECTED_RSV_2_3'],
    ['with the third reserved bit', [frame(PING, { reserved: 1 })], 'WS_ERR_UNEXPECTED_RSV_2_3'],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, Buffer[], string] => [
      `with opcode ${opcode}`,
      [frame(PING, { opcode })],
      'WS_ERR_INVALID_OPCODE',
    ]),
    ['without a mask', [frame(PING, { masked: false })], 'WS_ERR_EXPECTED_MASK'],
    ['that continues nothing', [frame(PING, { opcode: OPCODE.continuation })], 'WS_ERR_INVALID_OPCODE'],
    [
      'that begins a message inside another',
      [frame(PING, { final: false }), frame(PING, { final: false })],
      'WS_ERR_INVALID_OPCODE',
    ],
    ['with a message inside another', [frame('{', { final: false }), frame(PING)], 'WS_ERR_INVALID_OPCODE'],
  ]

  it.each(violations)('T-020 %s ends the connection at once, and nothing of it is taken', async (_, bytes, rule) => {
    const { code, afterMs, messages, rules } = await sending(bytes)
    expect(code).toBe(1002)
    expect(afterMs).toBeLessThan(500)
    expect(messages.filter(({ type }) => type === 'pong')).toEqual([])
    expect(rules).toEqual([rule])
  })

  const control: [string, Buffer][] = [
    ['a ping of 126 bytes', frame(Buffer.alloc(126), { opcode: OPCODE.ping })],
    ['a ping of 65,536 bytes', frame(Buffer.alloc(65_536), { opcode: OPCODE.ping })],
    ['a pong of 126 bytes', frame(Buffer.alloc(126), { opcode: OPCODE.pong })],
    ['a ping in fragments', frame('a', { opcode: OPCODE.ping, final: false })],
    ['a pong in fragments', frame('a', { opcode: OPCODE.pong, final: false })],
    ['a close in fragments', frame('', { opcode: OPCODE.close, final: false })],
    ['a close of one byte', frame('a', { opcode: OPCODE.close })],
  ]

  it.each(control)('T-021 %s ends the connection', async (_, bytes) => {
    const { code, rules } = await sending([bytes])
    expect(code).toBe(1002)
    expect(rules).toHaveLength(1)
  })

  it.each<[string, FrameOptions]>([
    ['2^63 - 1', { declares: 2n ** 63n - 1n }],
    ['2^64 - 1', { declares: 2n ** 64n - 1n }],
    ['2^53', { declares: 2n ** 53n }],
    ['2^31', { declares: 2n ** 31n }],
    ['65,537', { declares: 65_537n }],
  ])('T-022 a header that declares %s bytes ends the connection, whatever follows', async (_, options) => {
    for (const welcomed of [true, false]) {
      const outcome = await sending([frame('', options)], { welcomed })
      expect(outcome).toMatchObject({ code: 1009, reason: 'Message too big' })
      expect(outcome.afterMs).toBeLessThan(500)
      expect(outcome.rules).toEqual(['Message too big'])
    }
  })

  it('T-022 what a header declares is not allocated', async () => {
    const before = process.memoryUsage().external
    const sockets = await Promise.all(
      Array.from({ length: 9 }, (_, at) => RawSocket.welcomed(node, node.token(`declares-${at}`))),
    )
    // Within the limit, so that the server waits for what does not come.
    for (const socket of sockets) socket.write(frame('', { declares: 65_536n }))
    await field.neighbour.isWell()
    expect(process.memoryUsage().external - before).toBeLessThan(9 * 65_536)
    for (const socket of sockets) socket.destroy()
  })

  const command = (bytes: number): Buffer => {
    const empty = JSON.stringify({ type: 'ping', id: 1, padding: '' })
    return Buffer.from(JSON.stringify({ type: 'ping', id: 1, padding: 'x'.repeat(bytes - empty.length) }))
  }
  const inThree = (bytes: Buffer): Buffer[] => [
    frame(bytes.subarray(0, 30_000), { final: false }),
    frame(bytes.subarray(30_000, 60_000), { opcode: OPCODE.continuation, final: false }),
    frame(bytes.subarray(60_000), { opcode: OPCODE.continuation }),
  ]

  it.each<[string, readonly Buffer[], boolean]>([
    ['of 64 KiB and a byte', [frame(command(65_537))], true],
    ['of 64 KiB and a byte in three fragments', inThree(command(65_537)), true],
    ['of 16 KiB and a byte before the welcome', [frame(command(16_385))], false],
    ['of 64 KiB and a byte before the welcome', [frame(command(65_537))], false],
  ])('T-023 a message %s ends the connection', async (_, bytes, welcomed) => {
    const outcome = await sending(bytes, { welcomed })
    expect(outcome).toMatchObject({ code: 1009, reason: 'Message too big', rules: ['Message too big'] })
    expect(outcome.messages.at(-1)).toMatchObject({ type: 'goodbye', code: 1009, reconnect: 'backoff' })
  })

  it.each<[string, readonly Buffer[]]>([
    ['whole', [frame(command(65_536))]],
    ['in three fragments', inThree(command(65_536))],
  ])('T-023 a message of exactly 64 KiB is taken, %s', async (_, bytes) => {
    await field.attack(async () => {
      const socket = await RawSocket.welcomed(node, node.token('honest'))
      for (const some of bytes) socket.write(some)
      await socket.message('pong', { id: 1 })
      socket.destroy()
    })
  })

  const inCommand = (...bytes: number[]): Buffer =>
    Buffer.concat([Buffer.from('{"type":"ping","id":1,"at":"'), Buffer.from(bytes), Buffer.from('"}')])

  it.each<[string, Buffer]>([
    ['a byte that begins nothing', inCommand(0xff)],
    ['a continuation of nothing', inCommand(0x80)],
    ['a character cut off', inCommand(0xe2, 0x82)],
    ['an overlong slash', inCommand(0xc0, 0xaf)],
    ['an overlong NUL', inCommand(0xe0, 0x80, 0x80)],
    ['half of a surrogate pair', inCommand(0xed, 0xa0, 0x80)],
    ['both halves of one', inCommand(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80)],
    ['a character beyond the last', inCommand(0xf4, 0x90, 0x80, 0x80)],
    ['five bytes for a character', inCommand(0xf8, 0x88, 0x80, 0x80, 0x80)],
  ])('T-024 text with %s ends the connection, whole and in fragments', async (_, text) => {
    const cut = [
      frame(text.subarray(0, 30), { final: false }),
      frame(text.subarray(30), { opcode: OPCODE.continuation }),
    ]
    for (const bytes of [[frame(text)], cut]) {
      const { code, messages, rules } = await sending(bytes)
      expect(code).toBe(1007)
      expect(messages.filter(({ type }) => type === 'pong')).toEqual([])
      expect(rules).toEqual(['WS_ERR_INVALID_UTF8'])
    }
  })

  it('T-024 a character that fragments cut anywhere is whole again', async () => {
    const text = Buffer.from(JSON.stringify({ type: 'ping', id: 1, at: 'ä€𝔾' }))
    await field.attack(async () => {
      const socket = await RawSocket.welcomed(node, node.token('honest'))
      for (let cut = 1; cut < text.length; cut += 1) {
        socket.write(frame(text.subarray(0, cut), { final: false }))
        socket.write(frame(text.subarray(cut), { opcode: OPCODE.continuation }))
      }
      socket.say({ type: 'ping', id: 'last' })
      await socket.message('pong', { id: 'last' })
      const echoes = socket.messages.filter(({ type, id }) => type === 'pong' && id === 1)
      expect(new Set(echoes.map(({ at }) => at))).toEqual(new Set(['ä€𝔾']))
      expect(echoes).toHaveLength(text.length - 1)
      socket.destroy()
    })
  })

  const fragments = (count: number, payload: string): Buffer[] => [
    frame(payload, { final: false }),
    ...Array.from({ length: count - 1 }, () => frame(payload, { opcode: OPCODE.continuation, final: false })),
  ]

  it.each([
    ['60,000 fragments of a byte', 60_000, ' '],
    ['131,071 fragments of a byte', 131_071, ' '],
    ['70,000 empty fragments', 70_000, ''],
  ])('T-025, T-026 a message of %s ends the connection at the 65th', async (_, count, payload) => {
    const socket = await RawSocket.welcomed(node, node.token('mallory'))
    const [first = Buffer.alloc(0), ...rest] = fragments(count, payload)
    for (const one of [first, ...rest.slice(0, 63)]) socket.write(one)
    await field.neighbour.isWell()
    expect(socket.gone).toBe(false)
    socket.destroy()
    const outcome = await sending([Buffer.concat([first, ...rest])])
    expect(outcome).toMatchObject({ code: 1008, rules: ['WS_ERR_TOO_MANY_BUFFERED_PARTS'] })
  })

  it('T-030 a binary frame ends the connection, before the welcome and after it', async () => {
    for (const welcomed of [true, false]) {
      const outcome = await sending([frame(PING, { opcode: OPCODE.binary })], { welcomed })
      expect(outcome).toMatchObject({ code: 1003, reason: 'Unsupported data', rules: ['Unsupported data'] })
      expect(outcome.messages.filter(({ type }) => type === 'pong')).toEqual([])
    }
  })

  // 64 MB of zeros, deflated: what a server that inflates would get to see of it.
  const BOMB = Buffer.concat([Buffer.from([0xec, 0xc1, 0x01, 0x01]), Buffer.alloc(60_000)])

  it('T-031 a compressed frame ends the connection, before the welcome and after it, and is not inflated', async () => {
    for (const welcomed of [true, false]) {
      const { code, rules } = await sending([frame(BOMB, { reserved: 4 })], { welcomed })
      expect({ code, rules }).toEqual({ code: 1002, rules: ['WS_ERR_UNEXPECTED_RSV_1'] })
    }
    expect(process.getActiveResourcesInfo()).not.toContain('Zlib')
  })

  it('T-032 clients that ask for compression get none, and cost no window', async () => {
    await field.attack(async () => {
      const offer = 'permessage-deflate; client_max_window_bits=15; server_max_window_bits=15'
      const sockets = await Promise.all(
        Array.from({ length: 300 }, () => RawSocket.upgraded(node, { 'Sec-WebSocket-Extensions': offer })),
      )
      const agreed = sockets.map(({ answer }) => answer?.headers['sec-websocket-extensions'])
      expect(new Set(agreed)).toEqual(new Set([undefined]))
      expect(process.getActiveResourcesInfo()).not.toContain('Zlib')
      for (const socket of sockets) socket.destroy()
    })
  })
})

describe('a close frame', () => {
  const closing = (code: number, reason: string | Buffer = ''): Buffer => {
    const head = Buffer.alloc(2)
    head.writeUInt16BE(code)
    return frame(Buffer.concat([head, Buffer.from(reason)]), { opcode: OPCODE.close })
  }

  it.each([0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535])(
    'T-034 with the code %i is a violation',
    async (code) => {
      const outcome = await sending([closing(code)])
      expect(outcome).toMatchObject({ code: 1002, rules: ['WS_ERR_INVALID_CLOSE_CODE'] })
    },
  )

  it.each<[string, Buffer, number]>([
    ['of 124 bytes', Buffer.alloc(124, 97), 1002],
    ['that is no UTF-8', Buffer.from([0xff, 0xfe]), 1007],
  ])('T-034 with a reason %s is a violation', async (_, reason, code) => {
    expect((await sending([closing(1000, reason)])).code).toBe(code)
  })

  it('T-034 is answered with what it says and nothing else, and who keeps the socket open after it loses it', async () => {
    await field.attack(async () => {
      const socket = new RawSocket({ port: node.port, allowHalfOpen: true })
      await socket.ask(upgradeRequest())
      const sentAt = machineTime()
      socket.write(closing(1000, 'x'.repeat(120)))
      expect(await socket.refused()).toEqual({ code: 1000, reason: 'x'.repeat(120) })
      expect(socket.frames).toHaveLength(1)
      // What is written to a socket that the server has given up comes back as a reset.
      await eventually('the server gives the socket up', () => {
        if (!socket.gone) socket.write(randomBytes(10))
        return socket.gone
      })
      expect(machineTime() - sentAt).toBeLessThan(5_500)
    })
  })
})
