import { describe, expect, it } from 'vitest'
import type { Contest } from './decisions.js'
import { limiterContests } from './limiters.js'
import { matcherContest } from './matchers.js'

async function outcomes({ contestants }: Contest): Promise<number[]> {
  return Promise.all(contestants.map(async ({ run }) => run(3_000)))
}

describe('the contestants', () => {
  it('allow the same, and refuse the same', async () => {
    const [allowed, refused] = limiterContests()
    expect(await outcomes(allowed!)).toEqual([3_000, 3_000, 3_000])
    expect(await outcomes(refused!)).toEqual([0, 0, 0])
  })

  it('find the same rules', async () => {
    const [ours, ...others] = await outcomes(matcherContest())
    expect(ours).toBeGreaterThan(0)
    expect(others).toEqual([ours, ours])
  })
})
