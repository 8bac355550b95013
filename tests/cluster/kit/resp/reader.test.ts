import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RespReader } from './reader.js'
import { encodeCommand, itemsOf, textOf } from './value.js'

const line = fc.string({ maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, ''))

const bulk = fc
  .uint8Array({ maxLength: 40 })
  .map((bytes) => Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]))

const leaf = fc.oneof(
  line.map((text) => Buffer.from(`+${text}\r\n`)),
  line.map((text) => Buffer.from(`-ERR ${text}\r\n`)),
  fc.integer().map((number) => Buffer.from(`:${number}\r\n`)),
  fc.double({ noNaN: true }).map((number) => Buffer.from(`,${number}\r\n`)),
  fc
    .constantFrom('$-1\r\n', '*-1\r\n', '_\r\n', '#t\r\n', '(12345678901234567890\r\n')
    .map((text) => Buffer.from(text)),
  line.map((text) => Buffer.from(`=${Buffer.byteLength(text) + 4}\r\ntxt:${text}\r\n`)),
  line.map((text) => Buffer.from(`!${Buffer.byteLength(text)}\r\n${text}\r\n`)),
  bulk,
)

const { value: respBytes } = fc.letrec<{ value: Buffer; list: Buffer; map: Buffer; attributed: Buffer }>((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('list'), tie('map'), tie('attributed')),
  list: fc
    .tuple(fc.constantFrom('*', '~', '>'), fc.array(tie('value'), { maxLength: 4 }))
    .map(([kind, items]) => Buffer.concat([Buffer.from(`${kind}${items.length}\r\n`), ...items])),
  map: fc
    .array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 })
    .map((pairs) => Buffer.concat([Buffer.from(`%${pairs.length}\r\n`), ...pairs.flat()])),
  attributed: fc
    .tuple(bulk, leaf)
    .map(([key, value]) => Buffer.concat([Buffer.from('|1\r\n'), key, Buffer.from('+yes\r\n'), value])),
}))

describe('the reader of the Redis protocol', () => {
  it('gives the same values with the very same bytes, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(respBytes, { maxLength: 6 }), fc.array(fc.nat(400)), (values, cuts) => {
        const stream = Buffer.concat(values)
        const reader = new RespReader()
        const marks = [0, ...cuts.map((cut) => Math.min(cut, stream.length)).sort((a, b) => a - b), stream.length]
        const frames = marks.flatMap((mark, index) => reader.push(stream.subarray(marks[index - 1] ?? 0, mark)))
        expect(frames.map(({ bytes }) => bytes)).toEqual(values)
        expect(frames).toEqual(new RespReader().push(stream))
        expect(reader.held).toHaveLength(0)
      }),
      { numRuns: 500 },
    )
  })

  it('gives a value with its last byte and not before', () => {
    const command = encodeCommand(['PUBLISH', 'room', 'grüß dich'])
    const reader = new RespReader()
    const counts = [...command].map((byte) => reader.push(Buffer.from([byte])).length)
    expect(counts.indexOf(1)).toBe(command.length - 1)
  })

  it('tells a push from a list, and decodes words', () => {
    const [frame] = new RespReader().push(Buffer.from('>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n'))
    expect(frame?.value.kind).toBe('push')
    expect(itemsOf(frame?.value).map(textOf)).toEqual(['message', 'c', 'hi'])
  })

  it.each(['?1\r\n', '*x\r\n', '$-7\r\n'])('refuses %j', (text) => {
    expect(() => new RespReader().push(Buffer.from(text))).toThrow(SyntaxError)
  })
})
