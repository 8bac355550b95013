import { type Channel, Holdfast } from '@holdfast/client'
import { fallbackWebSocket } from '@holdfast/client/event-stream'
import { signToken } from '@holdfast/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { SECRET } from '../kit/server-process.js'
import { UpgradeRefuser } from '../kit/upgrade-refuser.js'
import { NodeProcess } from './kit/node-process.js'
import { RedisServer } from './kit/redis-server.js'

// Two nodes on a real Redis, behind a proxy that refuses WebSockets and sends each request to the other node than the one before.

let redis: RedisServer
let nodes: NodeProcess[]
let proxy: UpgradeRefuser
const clients: Holdfast[] = []

beforeAll(async () => {
  redis = await RedisServer.start()
  nodes = await Promise.all(['n1', 'n2'].map((node) => startNode(node)))
  proxy = await UpgradeRefuser.start(nodes.map(({ url }) => Number(new URL(url).port)))
})

afterAll(async () => {
  for (const client of clients) client.disconnect()
  await Promise.all(nodes.map((node) => node.stop()))
  await proxy?.close()
  await redis.stop()
})

const startNode = (node: string): Promise<NodeProcess> =>
  NodeProcess.start({
    node,
    engine: { redis: `redis://127.0.0.1:${redis.port}` },
    channels: { 'room:*': { publish: 'member', presence: true, history: { size: 1_000, ttl: '1h' } } },
  })

const tokenFor = (user: string): string => signToken({ secret: SECRET, tenant: 'acme', user })

function connect(user: string): Holdfast {
  const client = new Holdfast(`${proxy.url}/ws`, {
    token: () => tokenFor(user),
    WebSocket: fallbackWebSocket({ WebSocket: false }),
    backoff: { minMs: 50, maxMs: 500 },
  })
  clients.push(client)
  return client
}

/** A client in a room, and what it has heard there. */
async function enter(user: string): Promise<{ client: Holdfast; room: Channel; heard: unknown[] }> {
  const client = connect(user)
  const room = client.channel('room:1')
  const heard: unknown[] = []
  room.on('chat', ({ data }) => void heard.push(data))
  await room.subscribe({ presence: true })
  return { client, room, heard }
}

describe('event streams on two nodes', () => {
  it('carry what clients say, whichever node it comes to, and go on on the other node when one dies', async () => {
    const people = await Promise.all(['ada', 'ben', 'cleo', 'dan'].map(enter))
    const all: string[] = []
    const sayAll = async (round: number): Promise<void> => {
      const sent = people.flatMap(({ room }, at) =>
        Array.from({ length: 10 }, (_, n) => {
          const data = `${round} ${at} ${n}`
          all.push(data)
          return room.publish('chat', data)
        }),
      )
      await Promise.all(sent)
    }
    await sayAll(1)
    await eventually('all have heard all', () => people.every(({ heard }) => heard.length >= all.length))

    const [first, second] = nodes
    if (first === undefined || second === undefined) throw new Error('there are two nodes')
    proxy.nodes = [Number(new URL(second.url).port)]
    await first.kill9()
    await sayAll(2)
    await eventually('all have heard all', () => people.every(({ heard }) => heard.length >= all.length), 30_000)
    for (const { heard } of people) {
      expect(heard.map(String).sort()).toEqual([...all].sort())
      // Each as its sender said it.
      for (const at of people.keys()) {
        const ofOne = heard.filter((data) => String(data).split(' ')[1] === String(at))
        expect(ofOne).toEqual(all.filter((data) => data.split(' ')[1] === String(at)))
      }
    }
    await eventually('all are there again', () => people.every(({ room }) => room.presence.members.size === 4), 30_000)
  }, 90_000)
})
