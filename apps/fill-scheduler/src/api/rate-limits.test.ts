import { describe, expect, it } from 'vitest'
import { systemClock } from '../clock.js'
import { ApiError } from './api-error.js'
import { RateLimit, networkOf } from './rate-limits.js'

describe('a rate limit', () => {
  let now = 0
  const clock = { ...systemClock, now: () => now }

  it('lets so many through at once and so many in a second, for each name, and says when there is room again', () => {
    const limit = new RateLimit({ perSecond: 2, burst: 3 }, clock)
    for (let count = 0; count < 3; count += 1) limit.take('ada')
    limit.take('bob')
    const refused = refusal(() => limit.take('ada'))
    expect([refused?.code, refused?.options]).toMatchObject(['rate_limited', { status: 429, retryAfterMs: 500 }])
    now += 500
    limit.take('ada')
    expect(refusal(() => limit.take('ada'))).toBeDefined()
    limit.forgive('ada')
    limit.take('ada')
  })

  it('remembers no more than 10,000 names, and forgets those first that have been silent', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 1 }, clock)
    limit.take('first')
    limit.take('second')
    refusal(() => limit.take('first'))
    for (let count = 0; count < 9_999; count += 1) limit.take(`name ${count}`)
    expect(refusal(() => limit.take('first'))).toBeDefined()
    limit.take('second')
  })
})

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
])('the address %s stands for %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})

function refusal(work: () => void): ApiError | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}
