import { describe, expect, it } from 'vitest'
import { codeIn } from './one-time-code.js'
import { sessionIn } from './session.js'

describe('a session', () => {
  it('is what was kept, until it runs out', () => {
    const session = { token: 'abc', expiresAt: 2_000, since: 1_000, isByLink: true }
    const kept = JSON.stringify(session)
    expect(sessionIn(kept, 1_999)).toEqual(session)
    expect(sessionIn(kept, 2_000)).toBe(undefined)
  })

  it('may have been kept before it was known since when it is', () => {
    const kept = JSON.stringify({ token: 'abc', expiresAt: 2_000 })
    expect(sessionIn(kept, 1_999)).toEqual({ token: 'abc', expiresAt: 2_000, since: 0, isByLink: false })
  })

  it.each([null, '', 'null', '{', '{}', '{"token":7,"expiresAt":9e99}'])('is none in %j', (text) =>
    expect(sessionIn(text, 0)).toBe(undefined),
  )

  it('may begin with the code of a link, and with nothing else that a fragment holds', () => {
    expect(['#code=a-b_1', '#/new?code=x', '#code=', ''].map(codeIn)).toEqual([
      'a-b_1',
      undefined,
      undefined,
      undefined,
    ])
  })
})
