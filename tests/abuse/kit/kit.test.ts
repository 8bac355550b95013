import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AttackedNode } from './attacked-node.js'
import { Baseline } from './baseline.js'
import { Neighbour } from './neighbour.js'
import { OPCODE, RawSocket, frame, upgradeRequest } from './raw-socket.js'

let node: AttackedNode

beforeAll(async () => {
  node = await AttackedNode.start()
})

afterAll(() => node.close())

describe('a neighbour', () => {
  it('is well while its messages come', async () => {
    const neighbour = await Neighbour.beside(node)
    await neighbour.isWell()
    const { arrived } = neighbour
    await neighbour.isWell({ lagMsMax: 1_000 })
    expect(neighbour.arrived).toBeGreaterThan(arrived)
    await neighbour.leave()
  })

  it('complains of a message that nobody sent to it', async () => {
    const neighbour = await Neighbour.beside(node)
    await node.holdfast.tenant('acme').publish('neighbour:neighbour', 'tick', { number: 77, at: 0 })
    await expect(neighbour.isWell()).rejects.toThrow('message 77 came where')
    await neighbour.leave()
  })

  it('complains when it is sent away', async () => {
    const neighbour = await Neighbour.beside(node, { user: 'guest' })
    await node.holdfast.tenant('acme').disconnect('guest')
    await expect(neighbour.isWell()).rejects.toThrow('Disconnected by administrator')
    await neighbour.leave()
  })

  it('complains when it is not let in', async () => {
    const asked = Neighbour.beside(node, { token: 'a.b.c' })
    await expect(asked).rejects.toThrow('Invalid authentication token')
  })
})

describe('a baseline', () => {
  it('is restored when what came has gone', async () => {
    const baseline = await Baseline.of(node)
    const socket = await RawSocket.welcomed(node, node.token('mallory'))
    socket.say({ type: 'subscribe', id: 1, channel: 'room:a' }, { type: 'publish', id: 2, channel: 'room:a', data: 1 })
    await socket.message('ok')
    await expect(baseline.restored({ withinMs: 100 })).rejects.toThrow(/connections: 1, was 0.*channels: 2, was 0/)
    socket.destroy()
    await baseline.restored()
  })

  it('notices memory that stays', async () => {
    const baseline = await Baseline.of(node)
    const kept = Buffer.alloc(20 * 1_048_576, 1)
    await expect(baseline.restored({ withinMs: 100 })).rejects.toThrow('the memory is released')
    expect(kept).toHaveLength(20 * 1_048_576)
  })
})

describe('a raw socket', () => {
  it('reads answers in HTTP', async () => {
    const socket = new RawSocket(node)
    const answer = await socket.ask(upgradeRequest({ Upgrade: 'websocket' }, 'GET /elsewhere HTTP/1.1'))
    expect(answer).toMatchObject({ status: 404, headers: { connection: 'close' } })
    await socket.ended()
  })

  it('reads messages, control frames and the end', async () => {
    const socket = await RawSocket.welcomed(node, node.token('mallory'))
    socket.write(frame('are you there', { opcode: OPCODE.ping }))
    socket.say({ type: 'ping', id: 1 })
    await socket.message('pong', { id: 1 })
    expect(socket.frames.find(({ opcode }) => opcode === OPCODE.pong)?.payload.toString()).toBe('are you there')
    socket.write(frame(Buffer.alloc(1), { opcode: OPCODE.binary }))
    expect(await socket.ended()).toEqual({ code: 1003, reason: 'Unsupported data' })
  })
})
