import { beforeEach, describe, expect, it } from 'vitest'
import { signTokenAt } from '../../access/token.js'
import { type Holdfast, createHoldfast } from '../../holdfast.js'
import { SimulatedClock } from '../../simulated-clock.js'
import { FakeSocket, upgrade } from '../../testing/fake-socket.js'
import { instantTokens } from '../../testing/instant-tokens.js'
import { TEST_CHANNELS, TEST_SECRET } from '../../testing/test-node.js'
import type { SocketHandler } from '../../transport/transport.js'

let clock: SimulatedClock
let holdfast: Holdfast

beforeEach(async () => {
  clock = new SimulatedClock()
  holdfast = createHoldfast({ ...instantTokens(clock), channels: TEST_CHANNELS, clock })
  await holdfast.start()
})

interface Peer {
  readonly socket: FakeSocket
  readonly handler: SocketHandler
  say(...commands: object[]): void
  /** The ids of the commands that were answered. */
  answered(): unknown[]
}

async function join(): Promise<Peer> {
  const socket = new FakeSocket()
  const handler = holdfast.accept(socket, upgrade())
  const say = (...commands: object[]): void => {
    const text = commands.map((command) => JSON.stringify(command)).join('\n')
    handler.text(text, text.length)
  }
  say({ type: 'hello', token: signTokenAt({ secret: TEST_SECRET, tenant: 'acme', user: 'ada' }, clock.now()) })
  await clock.pass(1)
  return {
    socket,
    handler,
    say,
    answered: () => socket.messages.map(({ id, type }) => (type === 'message' ? undefined : id)).filter(Boolean),
  }
}

const counts = async (): Promise<object> => (await holdfast.tenant('acme').presence('live:1')).counts

describe('a connection that ends while it subscribes', () => {
  it('leaves nobody present and nobody listening, whenever it ends', async () => {
    for (let turns = 0; turns < 40; turns += 1) {
      const { handler, say } = await join()
      say({ type: 'subscribe', id: 1, channel: 'live:1', presence: true })
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
      handler.closed(1006, false)
    }
    await clock.pass(60_000, 1_000)
    expect(await counts()).toEqual({ members: 0, connections: 0 })
    expect(holdfast.stats().channels).toBe(0)
  })
})

describe('a subscribe', () => {
  it('is answered, also when the same channel is subscribed again before', async () => {
    const { say, answered, socket } = await join()
    say({ type: 'subscribe', id: 1, channel: 'room:1' }, { type: 'subscribe', id: 2, channel: 'room:1' })
    await clock.pass(10)
    expect(new Set(answered())).toEqual(new Set([1, 2]))
    expect(socket.messages.find(({ id }) => id === 2)).toMatchObject({ type: 'subscribed' })
  })

  it('keeps its member when an earlier one of the channel is given up', async () => {
    const { say } = await join()
    const subscribe = { type: 'subscribe', channel: 'live:1', presence: true }
    say({ ...subscribe, id: 1 }, { ...subscribe, id: 2 })
    await clock.pass(60)
    expect(await counts()).toEqual({ members: 1, connections: 1 })
  })

  it('without presence ends the presence of the one before', async () => {
    const { say } = await join()
    say({ type: 'subscribe', id: 1, channel: 'live:1', presence: true })
    await clock.pass(10)
    say({ type: 'subscribe', id: 2, channel: 'live:1' })
    await clock.pass(1_000)
    expect(await counts()).toEqual({ members: 0, connections: 0 })
  })
})

describe('large answers', () => {
  it('asked for in one breath wait for each other, and all come', async () => {
    const { say, socket, handler, answered } = await join()
    for (let count = 0; count < 16; count += 1) await holdfast.tenant('acme').publish('room:1', 'e', 'x'.repeat(60_000))
    socket.stall(0)
    say(...Array.from({ length: 64 }, (_, at) => ({ type: 'history', id: at + 1, channel: 'room:1' })))
    await clock.pass(10)
    let most = socket.pendingBytes()
    for (let turns = 0; turns < 100; turns += 1) {
      socket.leak()
      handler.drained()
      await clock.pass(1)
      most = Math.max(most, socket.pendingBytes())
    }
    expect(most).toBeLessThan(2_000_000)
    expect(answered()).toHaveLength(64)
  })
})
