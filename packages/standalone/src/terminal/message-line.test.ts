import { describe, expect, it } from 'vitest'
import { renderGapLine, renderMessageLine } from './message-line.js'

const message = {
  channel: 'room:1',
  id: 'm',
  offset: 7,
  event: 'chat',
  at: '2026-01-02T03:04:05.678Z',
  from: { user: 'ada' },
}

const time = new Date(message.at).toTimeString().slice(0, 8)

describe('a message on a terminal', () => {
  it('shows time, offset, event, sender and text', () => {
    expect(renderMessageLine({ ...message, data: { text: 'hello' } })).toBe(`${time}  #7  chat  ada  hello`)
  })

  it('shows data that is no text as JSON, and a message of the server as such', () => {
    const line = renderMessageLine({ ...message, from: { system: true }, data: { text: 'x', n: 1 } })
    expect(line).toBe(`${time}  #7  chat  (system)  {"text":"x","n":1}`)
  })

  it('cannot command the terminal', () => {
    expect(renderMessageLine({ ...message, from: { user: '\u001B[31mada' }, data: 'a\r\nb' })).not.toMatch(
      /[\u001B\r\n]/,
    )
  })
})

describe('a gap on a terminal', () => {
  it('names what is lost, and claims no more than is known', () => {
    expect(renderGapLine({ from: 3, to: 7, reason: 'trimmed' })).toBe('gap: messages 3 to 7 are lost (trimmed)')
    expect(renderGapLine({ from: 3, to: 3, reason: 'expired' })).toBe('gap: message 3 is lost (expired)')
    expect(renderGapLine({ from: 1, to: null, reason: 'epoch_changed' })).toBe(
      'gap: messages from 1 on, if there were any, are lost (epoch_changed)',
    )
  })
})
