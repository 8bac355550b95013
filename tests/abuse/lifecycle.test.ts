import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../kit/deadline.js'
import { EventReceiver } from '../kit/event-receiver.js'
import { attackBeside } from './kit/attack.js'
import { AttackedNode } from './kit/attacked-node.js'
import { Neighbour } from './kit/neighbour.js'
import { RawSocket } from './kit/raw-socket.js'

const SECRET = 'qZ7vN2xK9bT4mW1sR8yC5jL6hD3gF0pA'
const PATH_SECRET = 'path-that-nobody-may-read'

let receiver: EventReceiver
let node: AttackedNode
let neighbour: Neighbour

beforeAll(async () => {
  receiver = await EventReceiver.start(SECRET)
  node = await AttackedNode.start({
    webhooks: {
      secret: SECRET,
      allowPrivate: true,
      events: [
        { url: receiver.url, events: ['connected', 'disconnected', 'occupied', 'vacated', 'joined', 'left'] },
        { url: `http://127.0.0.1:9/${PATH_SECRET}`, events: ['occupied', 'joined'], tenant: 'acme' },
      ],
    },
  })
  neighbour = await Neighbour.beside(node)
})

afterAll(async () => {
  await neighbour.leave()
  await node.close()
  await receiver.close()
})

describe('a client whose every step is an event', () => {
  it('T-112 takes one name after another: each is told, nothing of it stays, and the address of no webhook is in the log', async () => {
    const names = Array.from({ length: 150 }, (_, at) => `room:${at}`)
    const ofRooms = (type: string): number =>
      receiver.events.filter((event) => event.type === type && event.key.startsWith('room:')).length
    await attackBeside(
      neighbour,
      node,
      async () => {
        const socket = await RawSocket.welcomed(node, node.token('mallory'))
        for (const channel of names) {
          socket.say({ type: 'subscribe', channel, presence: true })
          await socket.message('subscribed', { channel })
        }
        await eventually(
          'all are told',
          () => ofRooms('occupied') === names.length && ofRooms('joined') === names.length,
        )
        for (const channel of names) socket.say({ type: 'unsubscribe', channel })
        await eventually('all are told to be over', () => ofRooms('vacated') === names.length)
        socket.destroy()
      },
      // What was told is remembered for ten minutes, and logged for those who were away.
      { except: ['streams', 'records', 'idempotencyKeys'] },
    )
    await eventually('the end is told', () => receiver.words('mallory').join() === 'connected,disconnected')
    expect(ofRooms('left')).toBe(names.length)
    expect(new Set(receiver.events.map(({ id }) => id)).size).toBe(receiver.events.length)
    await eventually('it is said that one takes none', () =>
      JSON.stringify(node.log.lines).includes('lifecycle.delayed'),
    )
    const text = JSON.stringify(node.log.lines)
    for (const secret of [PATH_SECRET, SECRET]) expect(text).not.toContain(secret)
  })
})
