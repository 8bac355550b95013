import { describe, expect, it } from 'vitest'
import { elementTexts, memberText } from './event-stream-slices.js'
import { eventText } from './event-stream-text.js'

describe('slices of a JSON text', () => {
  it.each<[string, string, string[]]>([
    ['{"messages":[]}', 'messages', []],
    ['{"a":1}', 'messages', []],
    [
      '{"a":{"messages":[9]},"b":"\\"messages\\":[8]","messages":[1, "a,]}\\"" ,{"x":[1,2]} , [3]]}',
      'messages',
      ['1', '"a,]}\\""', '{"x":[1,2]}', '[3]'],
    ],
    ['{ "messages" : [ 12345678901234567890 , 1.0 ] }', 'messages', ['12345678901234567890', '1.0']],
  ])('of %s, the elements of %s, are as they stand there', (json, member, texts) => {
    expect(elementTexts(json, member)).toEqual(texts)
  })

  it('are those of a member of any kind', () => {
    expect(memberText('{"a":"x","data":-1.50e3 }', 'data')).toBe('-1.50e3')
    expect(memberText('{"a":"data"}', 'data')).toBeUndefined()
  })
})

describe('the text of an event', () => {
  it('has its data on one line, whatever spaces the JSON has', () => {
    expect(eventText({ id: '1', event: 'message', data: '{"a":\r\n1}' })).toBe(
      'id: 1\nevent: message\ndata: {"a":  1}\n\n',
    )
  })
})
