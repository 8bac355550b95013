import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Expiries } from './expiries.js'

describe('what ends next', () => {
  it('is taken in order of its time, and not before it', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30)), fc.array(fc.nat(30)), fc.boolean(), (ends, looks, isReset) => {
        const expiries = new Expiries()
        const noted = ends.map((until, at) => [`${until}:${at}`, until] as const)
        if (isReset) expiries.reset(noted)
        else for (const [key, until] of noted) expiries.add(key, until)
        let left = noted.map(([, until]) => until).toSorted((one, other) => one - other)
        for (const now of looks.toSorted((one, other) => one - other)) {
          const taken: number[] = []
          for (let key = expiries.takeDue(now); key !== undefined; key = expiries.takeDue(now))
            taken.push(Number(key.split(':')[0]))
          expect(taken).toEqual(left.filter((until) => until <= now))
          left = left.filter((until) => until > now)
          expect(expiries.size).toBe(left.length)
        }
      }),
    )
  })
})
