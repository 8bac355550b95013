import { describe, expect, it } from 'vitest'
import type { Identity } from '../access/identity.js'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { Admission } from './admission.js'

const ADA: Identity = { tenant: 'acme', user: 'ada', roles: [], grants: {}, expiresAt: undefined, tokenId: undefined }

describe('admission', () => {
  it('has room for so many connections on a node', () => {
    const admission = new Admission(new MemoryEngine(), 2, 1)
    admission.arrived()
    expect(admission.hasRoom).toBe(true)
    admission.arrived()
    expect(admission.hasRoom).toBe(false)
    admission.departed()
    expect(admission.hasRoom).toBe(true)
  })

  it('gives each user so many places, on all nodes together', async () => {
    const engine = new MemoryEngine()
    const [one, other] = [new Admission(engine, 9, 2), new Admission(engine, 9, 2)]
    expect(await one.takePlace(ADA)).toBe(true)
    expect(await other.takePlace(ADA)).toBe(true)
    expect(await one.takePlace(ADA)).toBe(false)
    expect(await one.takePlace({ ...ADA, tenant: 'other' })).toBe(true)
    await other.leavePlace(ADA)
    expect(await one.takePlace(ADA)).toBe(true)
  })

  it('is closed for good when the node drains', () => {
    const admission = new Admission(new MemoryEngine(), 1, 1)
    expect(admission.isOpen).toBe(true)
    admission.stop()
    expect(admission.isOpen).toBe(false)
  })
})
