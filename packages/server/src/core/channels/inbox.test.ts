import { beforeEach, describe, expect, it } from 'vitest'
import type { Identity } from '../../access/identity.js'
import type { Retention, Stream } from '../../engine/engine.js'
import { MemoryEngine } from '../../engine/memory/memory-engine.js'
import { SimulatedClock } from '../../simulated-clock.js'
import { Inboxes } from './inbox.js'
import { SYSTEM } from '../services.js'

const INBOX: Stream = { tenant: 'acme', channel: 'user:ada' }
const RETENTION: Retention = { size: 5, ttlMs: 60_000 }
const ADA: Identity = { tenant: 'acme', user: 'ada', roles: [], grants: {}, expiresAt: undefined, tokenId: undefined }

let clock: SimulatedClock
let engine: MemoryEngine
let inboxes: Inboxes

beforeEach(() => {
  clock = new SimulatedClock()
  engine = new MemoryEngine({ clock })
  inboxes = new Inboxes(engine, ['user:{user}', 'mail:new:{user}'])
})

async function publish(count: number): Promise<{ epoch: string; ids: string[] }> {
  const ids: string[] = []
  let epoch = ''
  for (let at = 0; at < count; at += 1) {
    const outcome = await engine.publish({
      stream: INBOX,
      event: 'e',
      data: '1',
      from: SYSTEM,
      at: '',
      retention: RETENTION,
    })
    if (outcome.kind !== 'published') throw new Error(outcome.kind)
    epoch = outcome.epoch
    ids.push(outcome.id)
  }
  return { epoch, ids }
}

const cursor = (): ReturnType<Inboxes['cursor']> => inboxes.cursor(INBOX, RETENTION)
const acknowledge = (offset: number): ReturnType<Inboxes['acknowledge']> =>
  inboxes.acknowledge(INBOX, RETENTION, offset)

describe('inboxes', () => {
  it('are one channel of each pattern for a user', () => {
    expect(inboxes.channelsOf(ADA)).toEqual(['user:ada', 'mail:new:ada'])
    expect(inboxes.channelsOf({ ...ADA, user: 'a$&b' })).toEqual(['user:a~24~26b', 'mail:new:a~24~26b'])
  })
})

describe('the cursor of a user', () => {
  it('is before the first message while nothing was acknowledged', async () => {
    const { epoch } = await publish(3)
    expect(await cursor()).toEqual({ epoch, offset: 0, id: '' })
  })

  it('has an epoch even where nothing was ever published', async () =>
    expect(await cursor()).toEqual({ epoch: expect.stringMatching(/^.+$/) as string, offset: 0, id: '' }))

  it('moves to what was acknowledged, with the id of that message', async () => {
    const { epoch, ids } = await publish(3)
    await acknowledge(2)
    expect(await cursor()).toEqual({ epoch, offset: 2, id: ids[1] })
    await acknowledge(3)
    expect(await cursor()).toEqual({ epoch, offset: 3, id: ids[2] })
  })

  it('never moves back', async () => {
    await publish(3)
    await acknowledge(3)
    await acknowledge(1)
    expect(await cursor()).toMatchObject({ offset: 3 })
  })

  it('never moves past the newest message', async () => {
    const { ids } = await publish(3)
    await acknowledge(1_000)
    expect(await cursor()).toMatchObject({ offset: 3, id: ids[2] })
  })

  it('moves over what is stored no more', async () => {
    await publish(9)
    await acknowledge(2)
    expect(await cursor()).toMatchObject({ offset: 2, id: '' })
  })

  it('is where the furthest of several devices is, that acknowledge together', async () => {
    await publish(5)
    await Promise.all([acknowledge(2), acknowledge(5), acknowledge(3), acknowledge(1)])
    expect(await cursor()).toMatchObject({ offset: 5 })
  })

  it('stays in its epoch when that ends, and starts over with the first acknowledgement in the next', async () => {
    const { epoch } = await publish(3)
    await acknowledge(3)
    await engine.rotate(INBOX, epoch)
    expect(await cursor()).toMatchObject({ epoch, offset: 3 })
    const next = await publish(2)
    await acknowledge(1)
    expect(await cursor()).toEqual({ epoch: next.epoch, offset: 1, id: next.ids[0] })
  })

  it('is that of one tenant', async () => {
    await publish(3)
    await acknowledge(3)
    expect(await inboxes.cursor({ ...INBOX, tenant: 'other' }, RETENTION)).toMatchObject({ offset: 0 })
  })
})

describe('acknowledgements that come together', () => {
  it('are all taken', async () => {
    const { ids } = await publish(32)
    await Promise.all(ids.map((_, index) => acknowledge(index + 1)))
    expect(await cursor()).toMatchObject({ offset: 32, id: ids[31] })
  })
})
