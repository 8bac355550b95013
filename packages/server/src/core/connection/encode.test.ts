import { decodeServerFrame } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import type { StreamMessage } from '../../engine/engine.js'
import {
  encodeError,
  encodeGap,
  encodeMessageList,
  encodePresence,
  encodeRefusal,
  encodeSignal,
  encodeStreamMessage,
  encodeSubscribed,
  encodeWithRaw,
} from './encode.js'
import { HoldfastError } from '../errors.js'

const MESSAGE: StreamMessage = {
  id: 'm1',
  offset: 1,
  event: '"!\\',
  data: '{"a": 1.0}',
  from: { user: '"ada"\n', connection: 'c1' },
  at: '2026-01-01T00:00:00.000Z',
}
const POSITION = { epoch: 'e1', offset: 1, id: 'm1' }

/** The one message that a client reads in `text`. */
function read(text: string): unknown {
  const messages = decodeServerFrame(text)
  expect(messages).toHaveLength(1)
  return messages[0]
}

describe('an encoded message', () => {
  it('carries its data as the bytes that came', () =>
    expect(encodeStreamMessage('room:1', MESSAGE)).toContain('"data":{"a": 1.0}'))

  it('is what a client reads, with names that need escapes', () => {
    const { id, offset, event, from, at } = MESSAGE
    expect(read(encodeStreamMessage('room:1', MESSAGE))).toEqual({
      type: 'message',
      channel: 'room:1',
      id,
      offset,
      event,
      data: { a: 1 },
      from,
      at,
    })
  })

  it('has no offset on a channel without history', () =>
    expect(read(encodeStreamMessage('room:1', { ...MESSAGE, offset: undefined }))).not.toHaveProperty('offset'))
})

describe('every other encoded message', () => {
  it.each<[string, string]>([
    ['signal', encodeSignal('room:1', { event: 'typing', data: 'null', from: { system: true }, at: MESSAGE.at })],
    [
      'joined',
      encodePresence('room:1', {
        kind: 'joined',
        member: { user: 'ada', connections: 1 },
        counts: { members: 1, connections: 1 },
      }),
    ],
    ['gap', encodeGap('room:1', { from: 1, to: null, reason: 'epoch_changed' }, POSITION)],
    ['gap', encodeGap('room:1', { from: 1, to: 2, reason: 'overflow' })],
    ['error', encodeRefusal('bad_request', 'no', 7)],
    ['error', encodeError(new HoldfastError('timeout', undefined, { retryAfter: 1, details: { a: 1 } }), 'x')],
    [
      'subscribed',
      encodeSubscribed(
        {
          channel: 'room:1',
          position: POSITION,
          recovered: 'gap',
          gap: { from: 1, to: 2, reason: 'trimmed' },
          messages: [MESSAGE, MESSAGE],
          present: { members: [{ user: 'ada', connections: 1 }], counts: { members: 1, connections: 1 }, version: 3 },
        },
        1,
      ),
    ],
    ['ok', encodeWithRaw({ type: 'ok', id: 1 }, 'messages', encodeMessageList('room:1', [MESSAGE]))],
    ['ok', encodeWithRaw({ type: 'ok' }, 'data', undefined)],
  ])('is a %s that a client reads', (type, text) => expect(read(text)).toMatchObject({ type }))
})

describe('a HoldfastError', () => {
  it('has the message and the retryability of the table', () => {
    expect(new HoldfastError('engine_unavailable')).toMatchObject({
      name: 'HoldfastError',
      code: 'engine_unavailable',
      message: 'The message store cannot be reached',
      retryable: true,
      retryAfter: undefined,
    })
    expect(new HoldfastError('not_found', 'no such thing')).toMatchObject({
      message: 'no such thing',
      retryable: false,
    })
  })
})
