import { describe, expect, it } from 'vitest'
import type { Identity } from '../access/identity.js'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { systemClock } from '../clock.js'
import { Admission } from './admission.js'
import { Retries } from './retries.js'

const ADA: Identity = { tenant: 'acme', user: 'ada', roles: [], grants: {}, expiresAt: undefined, tokenId: undefined }

const RETRIES = new Retries(systemClock, () => undefined)

describe('admission', () => {
  it('has room for so many connections on a node', () => {
    const admission = new Admission(new MemoryEngine(), 'n1', 2, 1, RETRIES)
    admission.arrived()
    expect(admission.hasRoom).toBe(true)
    admission.arrived()
    expect(admission.hasRoom).toBe(false)
    admission.departed()
    expect(admission.hasRoom).toBe(true)
  })

  it('gives each user so many places, on all nodes together', async () => {
    const engine = new MemoryEngine()
    const [one, other] = [new Admission(engine, 'n1', 9, 2, RETRIES), new Admission(engine, 'n2', 9, 2, RETRIES)]
    expect(await one.takePlace(ADA)).toBe(true)
    expect(await other.takePlace(ADA)).toBe(true)
    expect(await one.takePlace(ADA)).toBe(false)
    expect(await one.takePlace({ ...ADA, tenant: 'other' })).toBe(true)
    await other.leavePlace(ADA)
    expect(await one.takePlace(ADA)).toBe(true)
  })

  it('is closed for good when the node drains', () => {
    const admission = new Admission(new MemoryEngine(), 'n1', 1, 1, RETRIES)
    expect(admission.isOpen).toBe(true)
    admission.stop()
    expect(admission.isOpen).toBe(false)
  })
})
