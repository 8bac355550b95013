import { SERVER_MESSAGES, type ServerMessage, decodeServerFrame } from '@holdfast/protocol'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { decodeInbound } from './inbound.js'
import { message, verdict, welcome } from './testing/scripted-server.js'

const vectors = createRequire(import.meta.url).resolve('@holdfast/protocol/vectors/server-messages.json')

/** One sound message of each kind. */
const sound: object[] = [
  welcome(),
  { type: 'ok', messages: [message(1)], members: [{ user: 'ada', connections: 1 }] },
  { type: 'error', code: 'timeout', message: 'late', retryable: true },
  verdict(3, { messages: [message(3)] }),
  message(1),
  { ...message(1), type: 'signal' },
  ...['joined', 'left', 'updated'].map((type) => ({
    type,
    channel: 'room:1',
    member: { user: 'ada', connections: 1 },
    counts: { members: 1, connections: 1 },
  })),
  { type: 'gap', channel: 'room:1', from: 1, to: null, reason: 'trimmed' },
  { type: 'unsubscribed', channel: 'room:1', code: 'permission_denied', message: 'Not allowed' },
  { type: 'notice', code: 'degraded', message: 'later' },
  { type: 'goodbye', code: 1012, message: 'Service restart', reconnect: 'now', after: 5 },
  { type: 'ping', at: '' },
  { type: 'pong', at: 5 },
]

describe('decodeInbound', () => {
  it('takes every message that the protocol takes', () => {
    const frame = sound.map((one) => JSON.stringify(one)).join('\n')
    expect(new Set(decodeServerFrame(frame).map(({ type }) => type))).toEqual(new Set(Object.keys(SERVER_MESSAGES)))
    expect(decodeInbound(frame)).toEqual(sound)
  })

  it('takes the messages of the golden vectors', () => {
    const texts: string[] =
      JSON.stringify(JSON.parse(readFileSync(vectors, 'utf8')))
        .match(/"frame":"(?:[^"\\]|\\.)*"/g)
        ?.map((found) => (JSON.parse(`{${found}}`) as { frame: string }).frame) ?? []
    for (const text of texts) expect(decodeInbound(text).length).toBeGreaterThanOrEqual(decodeServerFrame(text).length)
  })

  it('T-117 leaves out what is not of the protocol, and never throws', () => {
    const broken = fc.tuple(fc.constantFrom(...sound), fc.string(), fc.jsonValue()).chain(([base, extra, value]) => {
      const names = [...Object.keys(base), extra]
      return fc.constantFrom(...names).map((name) => JSON.stringify({ ...base, [name]: value }))
    })
    fc.assert(
      fc.property(fc.oneof(broken, fc.json(), fc.string()), (frame) => {
        const decoded: ServerMessage[] = decodeInbound(frame)
        for (const one of decoded) expect(Object.keys(SERVER_MESSAGES)).toContain(one.type)
      }),
      { numRuns: 3000 },
    )
  })

  it.each(['constructor', '__proto__', 'toString', 'newer'])('T-117 ignores the type %s', (type) => {
    expect(decodeInbound(JSON.stringify({ type, channel: 'room:1' }))).toEqual([])
  })
})
