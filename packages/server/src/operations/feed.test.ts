import type { OperationSnapshot } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TestNode, startNode } from '../testing/test-node.js'

let node: TestNode

beforeEach(async () => {
  node = await startNode()
})

afterEach(() => node.close())

describe('operations:{user} on a connection', () => {
  it('starts with what has not ended, tells of every event, and only the user of each operation', async () => {
    const { operations } = node.holdfast.tenant('acme')
    const running = await operations.start({ id: 'running', kind: 'import', owner: 'ada' })
    await operations.run({ id: 'ended', kind: 'import', owner: 'ada' }, () => undefined)
    await operations.start({ id: 'theirs', kind: 'import', owner: 'bob' })
    const ada = await node.join('ada')
    await ada.request({ type: 'subscribe', channel: 'operations:ada' })
    const first = await ada.next('message')
    expect([first['event'], (first['data'] as OperationSnapshot).id]).toEqual(['progress', 'running'])
    await running.complete()
    const last = await ada.next('message')
    expect([last['event'], (last['data'] as OperationSnapshot).id]).toEqual(['completed', 'running'])
  })

  it('starts anew for a reader who missed something, and not for one who missed nothing', async () => {
    const { operations } = node.holdfast.tenant('acme')
    await operations.start({ id: 'running', kind: 'import', owner: 'ada' })
    const ada = await node.join('ada')
    const since = { epoch: 'another', offset: 7 }
    const subscribed = await ada.request({ type: 'subscribe', channel: 'operations:ada', since })
    expect((await ada.next('message'))['data']).toMatchObject({ id: 'running', state: 'running' })
    await ada.request({ type: 'unsubscribe', channel: 'operations:ada' })
    await ada.request({ type: 'subscribe', channel: 'operations:ada', since: subscribed['position'] })
    await operations.end('running', { state: 'completed' })
    expect((await ada.next('message'))['event']).toBe('completed')
  })

  it('starts with more than a queue holds, and keeps a reader that takes its time', async () => {
    const small = await startNode({
      limits: { outboxBytesMax: 65_536, outboxTotalBytesMax: 1_048_576, messageBytesMax: 65_536 },
    })
    try {
      const metadata = { text: 'x'.repeat(60_000) }
      for (let n = 0; n < 100; n += 1)
        await small.holdfast.tenant('acme').operations.create({ id: `op-${n}`, kind: 'import', owner: 'ada', metadata })
      const ada = await small.join('ada')
      ada.socket.pause()
      const asked = ada.request({ type: 'subscribe', channel: 'operations:ada' })
      const other = await small.join('bob')
      await other.request({ type: 'subscribe', channel: 'operations:bob' })
      ada.socket.resume()
      await asked
      const ids = new Set<string>()
      while (ids.size < 100) ids.add(((await ada.next('message'))['data'] as OperationSnapshot).id)
    } finally {
      await small.close()
    }
  })

  it('is refused to everybody else', async () => {
    const bob = await node.join('bob')
    const refusal = await bob.request({ type: 'subscribe', channel: 'operations:ada' })
    expect(refusal['code']).toBe('permission_denied')
  })
})

describe('the quota of operations', () => {
  it('has room again when an operation has ended, whoever ended it', async () => {
    const tenants = { acme: { quotas: { operations: 1 } } }
    const limited = await startNode({ tenants })
    try {
      const { operations } = limited.holdfast.tenant('acme')
      await operations.create({ id: 'a', kind: 'import', owner: 'ada' })
      await expect(operations.create({ kind: 'import', owner: 'ada' })).rejects.toMatchObject({
        code: 'limit_exceeded',
      })
      await operations.end('a', { state: 'completed' })
      await expect(operations.create({ id: 'b', kind: 'import', owner: 'ada' })).resolves.toBeDefined()
    } finally {
      await limited.close()
    }
  })
})
