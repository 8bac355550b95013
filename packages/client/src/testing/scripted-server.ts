import { Holdfast } from '../holdfast.js'
import type { HoldfastOptions } from '../options.js'
import { SimulatedClock, settle } from './simulated-clock.js'
import { type Arrived, type FarEnd, SimulatedNetwork } from './simulated-network.js'

/** A welcome of this connection. */
export function welcome(
  more: { resumed?: boolean; channels?: string[]; inFlight?: number; session?: string } = {},
): object {
  const { resumed = false, channels = [], inFlight = 32, session = 's1' } = more
  return {
    type: 'welcome',
    connection: 'c1',
    session: { id: session, secret: 'secret', resumed, window: 300 },
    tenant: 'acme',
    user: 'ada',
    roles: [],
    node: 'n1',
    heartbeat: { interval: 25_000, timeout: 10_000 },
    limits: { messageBytesMax: 65_536, channelsMax: 256, commandsInFlightMax: inFlight, outboxBytesMax: 1_048_576 },
    channels,
  }
}

/** A message of `room:1` with a number as data. */
export function message(offset: number | undefined, id = `m${offset}`, channel = 'room:1'): object {
  const place = offset === undefined ? {} : { offset }
  const at = '2026-01-01T00:00:00.000Z'
  return { type: 'message', channel, id, ...place, event: 'chat', data: offset ?? id, from: { user: 'bob' }, at }
}

/** A verdict on `room:1`: after offset `to` of `epoch`. */
export function verdict(
  to: number,
  more: { epoch?: string; recovered?: string; messages?: object[]; id?: number; channel?: string; gap?: object } = {},
): object {
  const { epoch = 'e1', recovered = 'new', messages = [], channel = 'room:1', ...rest } = more
  const position = { epoch, offset: to, id: `m${to}` }
  return { type: 'subscribed', channel, epoch, position, recovered, messages, ...rest }
}

/** A client on a simulated clock and network, and the far end that a test plays. */
export class Stage {
  readonly clock = new SimulatedClock()
  readonly network = new SimulatedNetwork()
  readonly client: Holdfast
  readonly states: string[] = []
  readonly errors: unknown[] = []
  wake: () => void = () => {}

  constructor(options: HoldfastOptions = {}) {
    this.network.onConnect = (end) => {
      end.onCommand = (command) => answer(end, command)
      end.accept()
    }
    this.client = new Holdfast('ws://test/ws', {
      WebSocket: this.network.WebSocket,
      clock: this.clock,
      random: { fraction: () => 0.5, id: () => `key-${(this.#keys += 1)}` },
      wakes: (wake) => {
        this.wake = wake
        return () => (this.wake = () => {})
      },
      connect: false,
      ...options,
    })
    this.client.on('state', ({ state }) => this.states.push(state))
    this.client.on('error', (error) => this.errors.push(error))
  }

  #keys = 0

  /** The far end of the newest socket. */
  get end(): FarEnd {
    return this.network.last
  }

  /** Connects, and waits until it is open. */
  async open(): Promise<FarEnd> {
    this.client.connect()
    await settle()
    if (this.client.status !== 'open') throw new Error(`the client is ${this.client.status}`)
    return this.end
  }
}

/** What a server without a will of its own answers. */
export function answer(end: FarEnd, { type, id, channel }: Arrived): void {
  if (type === 'hello') end.send(welcome())
  if (type === 'subscribe') end.send(verdict(0, { id: id!, channel: String(channel) }))
  if (type === 'publish') end.send({ type: 'ok', id, offset: 1, epoch: 'e1', messageId: 'm1', duplicate: false })
  if (['unsubscribe', 'state', 'ack', 'cancel', 'refresh'].includes(type)) end.send({ type: 'ok', id })
}
