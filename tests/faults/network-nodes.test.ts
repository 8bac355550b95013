import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { NodeProcess } from '../cluster/kit/node-process.js'
import { RedisServer } from '../cluster/kit/redis-server.js'
import { CHANNELS, TENANT, join } from './pair.js'

const CHANNEL = 'room:1'

const nodes: NodeProcess[] = []
let redis: RedisServer

afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.stop()))
  await redis.stop()
})

describe('two nodes', () => {
  it('F-55 know nothing of each other but what Redis passes on, so that no network between them can break', async () => {
    redis = await RedisServer.start()
    const engine = { redis: redis.url }
    const options = { channels: CHANNELS, engine }
    nodes.push(...(await Promise.all(['a', 'b'].map((node) => NodeProcess.start({ ...options, node })))))
    const [first, second] = nodes as [NodeProcess, NodeProcess]
    await Promise.all(nodes.map((node) => node.isReady()))

    const ada = await join(first.url, 'ada')
    const bob = await join(second.url, 'bob')
    for (const client of [ada, bob])
      await client.get('subscribed', { type: 'subscribe', channel: CHANNEL, presence: true })
    await ada.get('ok', { type: 'publish', channel: CHANNEL, data: 1 })
    await bob.next('message')
    const members = async (node: NodeProcess): Promise<string[]> =>
      (await node.ask('presence', { tenant: TENANT, channel: CHANNEL })).members.map(({ user }) => user).toSorted()
    for (const node of nodes)
      await eventually('both are there', async () => (await members(node)).join(' ') === 'ada bob')
    await first.ask('disconnect', { tenant: TENANT, user: 'bob' })

    for (const { pid, port } of nodes) {
      const lines = linesOf(pid)
      expect(lines.filter(({ remote }) => remote === redis.port)).not.toEqual([])
      const strangers = lines.filter((line) => line.local !== port && line.remote !== redis.port)
      expect(strangers).toEqual([])
    }
  })
})

interface Line {
  readonly local: number
  readonly remote: number
}

/** The TCP connections that a process has open. */
function linesOf(pid: number): Line[] {
  const inodes = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)))
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((row) => row.trim().split(/\s+/))
      .filter(([, , , , , , , , , inode]) => inodes.has(`socket:[${inode}]`))
      .map(([, local = '', remote = '']) => ({ local: portOf(local), remote: portOf(remote) })),
  )
}

/** An address as the kernel writes it: the port stands behind the colon, in hexadecimal. */
function portOf(address: string): number {
  return Number.parseInt(address.split(':')[1] ?? '', 16)
}

/** What a descriptor is; one may close while it is looked at. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
