import { TokenBucket } from '@holdfast/server'
import { RateLimiter } from 'limiter'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { timeOfDayMs } from './clock.js'
import type { Contest, Contestant } from './decisions.js'

const USERS: readonly string[] = Array.from({ length: 1_000 }, (_, index) => `user-${(index * 7_919) % 1_000}`)

const PLENTY = 1_000_000_000

/** May this user do it once more? Where everybody may, and where nobody may any more. Each way keeps a limit for each of a thousand users, found by name. */
export function limiterContests(): Contest[] {
  return [
    { title: 'A limit for each of 1,000 users: all allowed', contestants: contestants(PLENTY, 1) },
    { title: 'A limit for each of 1,000 users: all refused', contestants: contestants(1, 3_600) },
  ]
}

/** So many in so many seconds. */
function contestants(points: number, seconds: number): Contestant[] {
  return [ours(points, seconds), flexible(points, seconds), limiter(points, seconds)].map(exhausted)
}

/** Where there is one for each user, it is gone before anything is measured. */
function exhausted(contestant: Contestant): Contestant {
  let begun: Promise<number> | undefined
  return {
    name: contestant.name,
    async run(count) {
      begun ??= Promise.resolve(contestant.run(USERS.length))
      await begun
      return contestant.run(count)
    },
  }
}

function ours(points: number, seconds: number): Contestant {
  const rate = { perSecond: points / seconds, burst: points }
  const buckets = new Map(USERS.map((user) => [user, new TokenBucket()]))
  return {
    name: 'Holdfast',
    run(count) {
      let allowed = 0
      for (let at = 0; at < count; at += 1)
        if (buckets.get(nameAt(at))?.take(1, timeOfDayMs(), rate) === 0) allowed += 1
      return allowed
    },
  }
}

function flexible(points: number, duration: number): Contestant {
  const limiter = new RateLimiterMemory({ points, duration })
  return {
    name: 'rate-limiter-flexible',
    async run(count) {
      let allowed = 0
      for (let at = 0; at < count; at += 1) {
        try {
          await limiter.consume(nameAt(at))
          allowed += 1
        } catch {
          // Refused.
        }
      }
      return allowed
    },
  }
}

function limiter(tokensPerInterval: number, seconds: number): Contestant {
  const limiters = new Map(
    USERS.map((user) => [user, new RateLimiter({ tokensPerInterval, interval: seconds * 1_000 })]),
  )
  return {
    name: 'limiter',
    run(count) {
      let allowed = 0
      for (let at = 0; at < count; at += 1) if (limiters.get(nameAt(at))?.tryRemoveTokens(1) === true) allowed += 1
      return allowed
    },
  }
}

function nameAt(at: number): string {
  return USERS[at % USERS.length] ?? ''
}
