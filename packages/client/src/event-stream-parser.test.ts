import { describe, expect, it } from 'vitest'
import { EventStreamParser } from './event-stream-parser.js'

describe('the parser of event streams', () => {
  it('takes events in any pieces, and leaves out what says nothing', () => {
    const text = ': ping\n\nevent: open\ndata: {"a":1}\n\nid: 1\ndata:x: y\n\nretry: 5\n\ndata: rest'
    const parser = new EventStreamParser()
    const events = text.split('').flatMap((character) => parser.push(character))
    expect(events).toEqual([
      { event: 'open', data: '{"a":1}' },
      { event: 'message', data: 'x: y' },
    ])
    expect(parser.push('\n\n')).toEqual([{ event: 'message', data: 'rest' }])
  })
})
