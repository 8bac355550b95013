import { expect, it } from 'vitest'
import { systemClock } from '../clock.js'
import { SignInCodes } from './sign-in-codes.js'

it('a code is good once, for ten minutes, and only the newest hundred are', () => {
  let now = 0
  const codes = new SignInCodes({ ...systemClock, now: () => now })
  const [first, second, third] = [codes.issue('ada'), codes.issue('bob'), codes.issue('cy')]
  expect([codes.redeem(first), codes.redeem(first), codes.redeem('another')]).toEqual(['ada', undefined, undefined])
  now = 599_999
  expect(codes.redeem(second)).toBe('bob')
  now = 600_000
  expect(codes.redeem(third)).toBeUndefined()
  const oldest = codes.issue('dan')
  for (let count = 0; count < 100; count += 1) codes.issue('eve')
  expect(codes.redeem(oldest)).toBeUndefined()
})

it('a code is good again for whoever redeemed it by a secret, for a minute, and for nobody else', () => {
  let now = 0
  const codes = new SignInCodes({ ...systemClock, now: () => now })
  const code = codes.issue('ada')
  const tried = (by?: string): string | undefined => codes.redeem(code, by)
  expect([tried('mine'), tried('mine'), tried('of another'), tried()]).toEqual(['ada', 'ada', undefined, undefined])
  now = 59_999
  expect(tried('mine')).toBe('ada')
  now = 60_000
  expect(tried('mine')).toBeUndefined()
  const late = codes.issue('bob')
  now += 590_000
  expect(codes.redeem(late, 'mine')).toBe('bob')
  now += 10_000
  expect(codes.redeem(late, 'mine')).toBeUndefined()
})
