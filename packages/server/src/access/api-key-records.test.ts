import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startNode } from '../testing/test-node.js'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-keys-'))
})
afterEach(() => rm(directory, { recursive: true }))

describe('keys in an engine on disk', () => {
  it('outlive the process, with both of their secrets, and stay ended once they are', async () => {
    const first = await startNode({ engine: { disk: directory } })
    const { keys } = first.holdfast.tenant('acme')
    const kept = await keys.create({ name: 'kept', grants: {} })
    const ended = await keys.create({ name: 'ended', grants: {} })
    const next = await keys.rotate(kept.id)
    await keys.revoke(ended.id)
    const before = await keys.list()
    await first.close()
    const second = await startNode({ engine: { disk: directory } })
    for (const key of [kept.key, next.key]) {
      const client = await second.open()
      expect(await client.hello(key)).toMatchObject({ tenant: 'acme', user: `key:${kept.id}` })
    }
    const client = await second.open()
    client.send({ type: 'hello', token: ended.key })
    expect(await client.closed).toEqual({ code: 1008, reason: 'Invalid authentication token' })
    expect(await second.holdfast.tenant('acme').keys.list()).toEqual(before)
    await second.close()
  })
})
