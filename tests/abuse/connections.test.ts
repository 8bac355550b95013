import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { MemoryEngine, createHoldfast } from '@holdfast/server'
import { afterAll, describe, expect, it } from 'vitest'
import { eventually, pause } from '../kit/deadline.js'
import { machineTime } from '../kit/machine-time.js'
import { attackBeside } from './kit/attack.js'
import { AttackedNode, CHANNELS, SECRET, tokenOf } from './kit/attacked-node.js'
import { selfSignedCertificate } from './kit/certificate.js'
import { Neighbour } from './kit/neighbour.js'
import { OPCODE, RawSocket, frame, upgradeRequest } from './kit/raw-socket.js'

const nodes: { close(): Promise<void> }[] = []

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.close()))
})

async function startNode(options: Parameters<typeof AttackedNode.start>[0]): Promise<AttackedNode> {
  const node = await AttackedNode.start(options)
  nodes.push(node)
  return node
}

describe('a subscriber that stops reading', () => {
  const BYTES = 65_000

  /** Publishes to the room for as long as it takes until nobody listens, and answers how much that was. */
  async function publishUntilGone(node: AttackedNode, connections: number): Promise<number> {
    const tenant = node.holdfast.tenant('acme')
    const data = 'x'.repeat(BYTES)
    let published = 0
    await eventually(
      'the reader is given up',
      async () => {
        for (let some = 0; some < 4; some += 1) await tenant.publish('room:flood', 'x', data)
        published += 4 * BYTES
        return node.holdfast.stats().connections === connections
      },
      30_000,
    )
    return published
  }

  it.each([
    ['the limit of its queue, where the rule says close', 'close', {}, 12_000],
    ['the time that it may take, where the rule lets it recover', 'resume', { outboxAgeMaxMs: 1_000 }, 14_000],
  ] as const)(
    'T-033 is given up at %s, and its socket is gone five seconds later',
    async (_, slow, limits, withinMs) => {
      const rule = { ...CHANNELS['room:*'], slow, history: { size: 20, ttl: 1_000 } }
      const node = await startNode({ limits, channels: { ...CHANNELS, 'room:*': rule } })
      const neighbour = await Neighbour.beside(node)
      await attackBeside(neighbour, node, async () => {
        const reader = await RawSocket.welcomed(node, node.token('slow'))
        reader.say({ type: 'subscribe', id: 1, channel: 'room:flood' })
        await reader.message('subscribed')
        reader.stopReading()
        const before = process.memoryUsage().arrayBuffers
        const begunAt = machineTime()
        const published = await publishUntilGone(node, 1)
        expect(machineTime() - begunAt).toBeLessThan(withinMs)
        expect(published).toBeGreaterThan(2 * 1_048_576)
        // The queue, what is in the history, and what the kernel took: not all that was published.
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1_048_576)
        expect(node.log.of('connection.slow')).toHaveLength(1)
        reader.destroy()
      })
      expect(neighbour.worstLagMs).toBeLessThan(1_000)
      await neighbour.leave()
    },
  )
})

describe('a connection of which nothing is heard', () => {
  const TIMEOUT_MS = 800

  it('T-035 of a client that vanished is closed one timeout after its last word', async () => {
    const node = await startNode({ heartbeat: { intervalMs: 300, timeoutMs: TIMEOUT_MS } })
    const neighbour = await Neighbour.beside(node)
    await attackBeside(neighbour, node, async () => {
      const before = performance.now()
      const reading = await RawSocket.welcomed(node, node.token('still'))
      const deaf = await RawSocket.welcomed(node, node.token('deaf'))
      deaf.stopReading()
      const after = machineTime()
      expect(await reading.refused()).toEqual({ code: 1001, reason: 'Heartbeat timeout' })
      expect(performance.now() - before).toBeGreaterThan(TIMEOUT_MS)
      expect(machineTime() - after).toBeLessThan(TIMEOUT_MS + 1_000)
      // The deaf one does not answer the close either.
      await eventually('both are gone', () => node.holdfast.stats().connections === 1, 6_000)
      deaf.destroy()
    })
    await neighbour.leave()
  })

  it('T-039 stays while it answers, is counted with the others of its user, and is no ghost when it only drips', async () => {
    const node = await startNode({
      heartbeat: { intervalMs: 300, timeoutMs: TIMEOUT_MS },
      limits: { connectionsPerUserMax: 2 },
    })
    const neighbour = await Neighbour.beside(node)
    await attackBeside(neighbour, node, async () => {
      const idle = await RawSocket.welcomed(node, node.token('idle'))
      const dripping = await RawSocket.welcomed(node, node.token('idle'))
      const third = await RawSocket.upgraded(node)
      third.say({ type: 'hello', token: node.token('idle') })
      expect(await third.refused()).toEqual({ code: 1008, reason: 'Connection limit exceeded' })
      const unfinished = frame(JSON.stringify({ type: 'ping', padding: 'x'.repeat(200) }))
      let dripped = 0
      const timer = setInterval(() => {
        idle.say('ping')
        dripping.write(unfinished.subarray(dripped, (dripped += 1)))
      }, 100)
      // Bytes that make no frame are no sign of life.
      expect(await dripping.refused()).toEqual({ code: 1001, reason: 'Heartbeat timeout' })
      await pause(TIMEOUT_MS)
      expect(idle.gone).toBe(false)
      clearInterval(timer)
      idle.destroy()
      dripping.destroy()
    })
    await neighbour.leave()
  })
})

describe('an upgrade and no hello', () => {
  const PATIENCE_MS = 1_000

  const WAYS: Record<string, (socket: RawSocket) => void> = {
    nothing: () => undefined,
    'pings of the transport': (socket) => socket.write(frame('a', { opcode: OPCODE.ping })),
    'pings of the protocol': (socket) => socket.say({ type: 'ping', id: 1 }),
    'the word ping': (socket) => socket.say('ping'),
    'empty fragments': (socket) => socket.write(frame('', { final: false, opcode: OPCODE.continuation })),
    'a byte now and then': (socket) => socket.write(Buffer.from([0x81])),
  }

  it('T-038 is closed when its time is up, whatever else is said', async () => {
    const node = await startNode({ limits: { handshakeTimeoutMs: PATIENCE_MS } })
    const neighbour = await Neighbour.beside(node)
    const waiting = async (say: (socket: RawSocket) => void): Promise<[string, number]> => {
      const openedAt = machineTime()
      const socket = await RawSocket.upgraded(node)
      const timer = setInterval(() => say(socket), 300)
      const { code, reason } = await socket.refused()
      clearInterval(timer)
      await socket.ended()
      return [`${code} ${reason}`, machineTime() - openedAt]
    }
    const ends = await attackBeside(neighbour, node, () => Promise.all(Object.values(WAYS).map(waiting)))
    await neighbour.leave()
    // What continues nothing is a violation before the time is up.
    const late = '1008 Authentication required'
    expect(ends.map(([end]) => end)).toEqual([late, late, late, late, '1002 ', late])
    expect(Math.max(...ends.map(([, afterMs]) => afterMs))).toBeLessThan(PATIENCE_MS + 1_000)
  })
})

describe('TLS that the application ends itself', () => {
  it('T-037 handshakes that never end, odd names and protocols, and a callback that throws cost others nothing', async () => {
    const certificate = selfSignedCertificate()
    const engine = new MemoryEngine()
    const holdfast = createHoldfast({ auth: { secret: SECRET }, channels: CHANNELS, engine })
    const server = createServer({
      ...certificate,
      handshakeTimeout: 1_000,
      SNICallback: (name, answer) => {
        if (name === 'refused.test') answer(new Error('no such name'))
        else answer(null)
      },
    })
    holdfast.attach(server)
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.address() as AddressInfo
    const plain = await holdfast.listen()
    const node = { holdfast, ...plain, token: tokenOf }
    nodes.push({
      close: async () => {
        server.close()
        server.closeAllConnections()
        await holdfast.close()
      },
    })
    const neighbour = await Neighbour.beside(node)
    await attackBeside(neighbour, { holdfast }, async () => {
      const silent = Array.from({ length: 100 }, () => new RawSocket({ port }))
      const begun = Array.from({ length: 100 }, () => {
        const socket = new RawSocket({ port })
        // The head of a ClientHello of 512 bytes, of which four come.
        socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]))
        return socket
      })
      const garbage = Array.from({ length: 20 }, () => {
        const socket = new RawSocket({ port })
        socket.write(upgradeRequest())
        return socket
      })
      const odd = [
        { servername: '__proto__' },
        { servername: 'constructor' },
        { servername: 'a'.repeat(255) },
        { servername: 'refused.test' },
        { ALPNProtocols: ['h2'] },
        { ALPNProtocols: ['evil', '__proto__'] },
        { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' } as const,
      ].map((options) => connectSecurely({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }))
      for (const socket of odd) socket.on('error', () => undefined)
      const honest = await RawSocket.welcomed({ port, secure: true }, tokenOf('honest'))
      honest.say({ type: 'ping', id: 1 })
      await honest.message('pong', { id: 1 })
      await Promise.all([...silent, ...begun, ...garbage].map((socket) => socket.ended(5_000)))
      honest.destroy()
      for (const socket of odd) socket.destroy()
    })
    await neighbour.leave()
  })
})
