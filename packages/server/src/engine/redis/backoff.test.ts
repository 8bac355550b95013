import { describe, expect, it } from 'vitest'
import { Backoff } from './backoff.js'
import { MUSTER_LIMITS } from './muster.js'
import { resolveRedisOptions } from './redis-options.js'

const drawing = (fraction: number): Backoff => new Backoff({ id: () => '', fraction: () => fraction })

describe('the delays between attempts to reach a server', () => {
  it('are drawn below a bound that doubles, from 50 ms to 500 ms, and begin anew after a success', () => {
    const most = drawing(0.999)
    expect(Array.from({ length: 6 }, () => most.next())).toEqual([49, 99, 199, 399, 499, 499])
    most.succeeded()
    expect(most.next()).toBe(49)
  })

  it('are never so short that a server that refuses is asked in a loop', () => {
    expect(drawing(0).next()).toBe(20)
  })

  it('bring a node back before the others stop waiting for it, also when one attempt comes to nothing', () => {
    const most = drawing(0.999)
    for (let attempts = 0; attempts < 10; attempts += 1) most.next()
    const { connectTimeoutMs } = resolveRedisOptions({ servers: [{ host: 'localhost', port: 6_379 }] })
    expect(most.next() + connectTimeoutMs + most.next()).toBeLessThan((MUSTER_LIMITS.musterMs * 3) / 4)
  })
})
