import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MemberChange, Signal, StreamMessage } from '../engine.js'
import {
  decodeAnnouncement,
  decodeBody,
  encodeBody,
  encodeMembers,
  encodeMessage,
  encodeRotation,
  encodeSignal,
  encodeText,
  tell,
} from './announcement.js'

const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const data = fc.json()
const from = fc.oneof(
  fc.record({ user: text }),
  fc.record({ user: text, connection: text }),
  fc.constant({ system: true as const }),
)
const epoch = fc.stringMatching(/^[\w-]{1,22}$/)
const count = fc.maxSafeNat()
const message = fc
  .record({ id: text, offset: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), event: text, data, from, at: text })
  .chain((base) => fc.constantFrom<StreamMessage>(base, { ...base, final: true }))
const signal: fc.Arbitrary<Signal> = fc.record({ event: text, data, from, at: text })
const change: fc.Arbitrary<MemberChange> = fc.record({
  member: fc.oneof(
    fc.record({ user: text, connections: count }),
    fc.record({ user: text, connections: count, info: fc.jsonValue() }),
  ),
  counts: fc.record({ members: count, connections: count }),
  before: count,
  changed: fc.constant(true),
  version: count,
})

describe('an announcement', () => {
  it('of a message arrives as it was sent, data to the letter', () => {
    fc.assert(
      fc.property(epoch, message, (inEpoch, sent) => {
        const wire = encodeMessage(inEpoch, sent.offset ?? 0, encodeBody(sent))
        expect(decodeAnnouncement(wire)).toEqual({ kind: 'message', epoch: inEpoch, message: sent })
      }),
    )
  })

  it('of a message that nothing keeps has no epoch and no offset', () => {
    const sent = { id: 'i', event: 'e', data: '[1, 2]', from: { user: 'u' }, at: '2026' }
    expect(decodeAnnouncement(encodeMessage('', 0, encodeBody(sent)))).toEqual({
      kind: 'message',
      epoch: '',
      message: { ...sent, offset: undefined },
    })
  })

  it('of a signal arrives as it was sent', () => {
    fc.assert(
      fc.property(signal, (sent) => {
        expect(decodeAnnouncement(encodeSignal(sent))).toEqual({ kind: 'signal', signal: sent })
      }),
    )
  })

  it('of a member arrives as it was sent', () => {
    fc.assert(
      fc.property(change, (sent) => {
        const through = decodeAnnouncement(encodeMembers(sent))
        expect(JSON.stringify(through)).toBe(JSON.stringify({ kind: 'members', change: sent }))
      }),
    )
  })

  it('of a new epoch arrives as it was sent', () => {
    expect(decodeAnnouncement(encodeRotation('a-Z_9'))).toEqual({ kind: 'rotated', epoch: 'a-Z_9' })
  })

  it('of a text arrives as it was sent', () => {
    expect(decodeAnnouncement(encodeText('a\nb'))).toEqual({ kind: 'text', text: 'a\nb' })
  })

  it('that is none is nothing, whatever it is made of', () => {
    const wire = encodeMessage('e', 7, encodeBody({ id: 'i', event: 'e', data: '1', from: { user: 'u' }, at: '' }))
    const bad = ['', 'x', 'r', 'r a', 'm', 'm \n', 'm 1\n{}\n', 'me 0\n{}\n1', 'me 1e3\n{}\n', 'p\n\n', 's{}\n', 's\n']
    for (const each of bad) expect(decodeAnnouncement(each), each).toBeUndefined()
    for (let end = 0; end < wire.length - 1; end += 1) expect(decodeAnnouncement(wire.slice(0, end))).toBeUndefined()
    fc.assert(
      fc.property(
        fc.constantFrom('m', 's', 'p', 'r', 't'),
        fc.string(),
        (type, rest) => void decodeAnnouncement(type + rest),
      ),
    )
  })

  it('T-095 whose data is no JSON, or more than a line, is nothing: it would stand in a frame as it is', () => {
    const head = '{"id":"i","event":"e","from":{"system":true},"at":""}'
    for (const data of ['', 'x', '{', '1}{"type":"goodbye"', '1\n{"type":"goodbye"}', '[1,\n2]', '\u0000', '1 2']) {
      expect(decodeAnnouncement(`me 1\n${head}\n${data}`), data).toBeUndefined()
      expect(decodeAnnouncement(`s${head}\n${data}`), data).toBeUndefined()
    }
  })

  it('whose sender is nobody is nothing', () => {
    for (const head of [
      '{"id":"i","event":"e","from":{"user":1},"at":""}',
      '{"id":"i","event":"e","from":null,"at":""}',
    ])
      expect(decodeBody(`${head}\n1`, 1)).toBeUndefined()
  })

  it('is told to the part of the receiver that it concerns', () => {
    const told: unknown[] = []
    const receiver = {
      message: (...all: unknown[]) => told.push(['message', ...all]),
      signal: (...all: unknown[]) => told.push(['signal', ...all]),
      members: (...all: unknown[]) => told.push(['members', ...all]),
      rotated: (...all: unknown[]) => told.push(['rotated', ...all]),
      uncertain: () => told.push(['uncertain']),
    }
    tell(receiver, { kind: 'rotated', epoch: 'x' })
    const sent = { event: 'e', data: '1', from: { user: 'u' }, at: '' }
    tell(receiver, { kind: 'signal', signal: sent })
    expect(told).toEqual([
      ['rotated', 'x'],
      ['signal', sent],
    ])
  })
})
