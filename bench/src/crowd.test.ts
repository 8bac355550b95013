import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningServer } from './candidates/candidate.js'
import { holdfast } from './candidates/holdfast.js'
import { Crowd } from './crowd.js'
import { runSlice } from './load.js'
import { NO_FAULTS } from './tally.js'

describe('a crowd', () => {
  let server: RunningServer
  let crowd: Crowd

  beforeAll(async () => {
    server = await holdfast.start()
    const channelsOf = (number: number) => ['room:all', `room:${number % 2}`]
    crowd = await Crowd.gather({ port: server.port, dialect: holdfast.dialect, size: 5, channelsOf })
  })

  afterAll(async () => {
    crowd.disperse()
    await server.close()
  })

  it('receives every message of a batch once and in order', async () => {
    await crowd.publish('room:all', 16)
    await crowd.publish('room:all', 1)
    expect(crowd.faults()).toEqual(NO_FAULTS)
  })

  it('counts the deliveries of a slice', async () => {
    const load = await runSlice(crowd, { channel: 'room:all', k: 4, durationMs: 20 })
    expect(load.deliveries % (4 * crowd.size)).toBe(0)
    expect(load.deliveries).toBeGreaterThan(0)
    expect(load.faults).toEqual(NO_FAULTS)
  })

  it('says why when a server goes away', async () => {
    const other = await holdfast.start()
    const guests = await Crowd.gather({
      port: other.port,
      dialect: holdfast.dialect,
      size: 2,
      channelsOf: () => ['room:all'],
    })
    await other.close()
    await expect(guests.publish('room:all', 1)).rejects.toThrow()
    guests.disperse()
  })
})
