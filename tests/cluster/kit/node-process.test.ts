import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../kit/deadline.js'
import type { NodeOptions } from './node-questions.js'
import { NodeProcess } from './node-process.js'

const CHANNELS: NonNullable<NodeOptions['channels']> = {
  'room:*': { publish: 'member', history: { size: 100, ttl: '1h' } },
}

const nodes: NodeProcess[] = []

async function start(options: NodeOptions = {}): Promise<NodeProcess> {
  const node = await NodeProcess.start({ channels: CHANNELS, ...options })
  nodes.push(node)
  return node
}

afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()))
})

describe('a node as a process', () => {
  it('publishes and reads what an application would', async () => {
    const node = await start({ node: 'first' })
    expect(node.name).toBe('first')
    const told = await node.ask('publish', { tenant: 'acme', channel: 'room:1', data: { n: 1 }, key: 'k' })
    const again = await node.ask('publish', { tenant: 'acme', channel: 'room:1', data: { n: 1 }, key: 'k' })
    expect(again).toEqual({ ...told, duplicate: true })
    const { messages } = await node.ask('history', { tenant: 'acme', channel: 'room:1' })
    expect(messages.map(({ data }) => data)).toEqual([{ n: 1 }])
  })

  it('answers with the code of what went wrong', async () => {
    const node = await start()
    const refused = node.ask('publish', { tenant: 'acme', channel: 'nothing:names-this', data: 1 })
    await expect(refused).rejects.toMatchObject({ code: 'permission_denied' })
    const many = await node.ask('publishMany', {
      publishes: [
        { tenant: 'acme', channel: 'room:1', data: 1, key: 'k' },
        { tenant: 'acme', channel: 'room:1', data: 2, key: 'k' },
      ],
      inFlight: 1,
    })
    expect(many).toMatchObject([{ offset: 1 }, { code: 'idempotency_conflict' }])
  })

  it('runs an operation', async () => {
    const node = await start()
    const id = await node.ask('startOperation', { tenant: 'acme', spec: { kind: 'import', owner: 'u', total: 2 } })
    await node.ask('reportOperation', { tenant: 'acme', id, advance: 2, complete: { rows: 2 } })
    const snapshot = await node.ask('getOperation', { tenant: 'acme', id })
    expect(snapshot).toMatchObject({ state: 'completed', result: { rows: 2 } })
  })

  it('leaves with status 0 when it is asked to, and at once when it is killed', async () => {
    const [one, other] = await Promise.all([start(), start()])
    expect(await one.term()).toBe(0)
    await other.kill9()
    expect(await other.exited).toBe('SIGKILL')
    await expect(other.ask('stats', null)).rejects.toThrow('has ended')
  })

  it('does nothing while it is paused', async () => {
    const node = await start()
    node.pause()
    await expect(node.ask('stats', null, 200)).rejects.toThrow('not within')
    node.resume()
    await eventually('it answers', async () => (await node.ask('stats', null)).connections === 0)
  })

  it('says why it did not start', async () => {
    await expect(start({ limits: { channelsMax: 0 } })).rejects.toThrow('limits.channelsMax')
  })
})
