import { ERRORS, type ErrorCode } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../core/errors.js'
import { errorBody, errorResponse } from './api-error.js'

describe('an error over HTTP', () => {
  it.each(['engine_unavailable', 'rate_limited'] as const)(
    'says when to try again, though nobody knows better: %s',
    (code) => {
      const error = new HoldfastError(code)
      expect(errorResponse(error).headers.get('retry-after')).toBe('1')
      expect(errorBody(error).error).toMatchObject({ retryAfter: 1_000, retryable: true })
    },
  )

  it('says what is known of that, in whole seconds and never none', () => {
    const seconds = [1, 1_000, 1_001].map((retryAfter) =>
      errorResponse(new HoldfastError('rate_limited', undefined, { retryAfter })).headers.get('retry-after'),
    )
    expect(seconds).toEqual(['1', '1', '2'])
  })

  it.each(Object.keys(ERRORS) as ErrorCode[])('has a status of its kind: %s', (code) => {
    const { status, headers } = errorResponse(new HoldfastError(code))
    expect(status).toBeGreaterThanOrEqual(400)
    expect(headers.has('www-authenticate')).toBe(status === 401)
    expect(headers.get('cache-control')).toBe('no-store')
  })
})
