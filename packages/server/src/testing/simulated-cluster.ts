import { signTokenAt } from '../access/token.js'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { type Holdfast, createHoldfast } from '../holdfast.js'
import type { HoldfastOptions } from '../options.js'
import { SimulatedClock } from '../simulated-clock.js'
import type { SocketHandler } from '../transport/transport.js'
import { FakeSocket, upgrade } from './fake-socket.js'
import { instantTokens } from './instant-tokens.js'
import { type InterruptedEngine, interruptedEngine } from './interrupted-engine.js'
import { TEST_CHANNELS, TEST_SECRET } from './test-node.js'

/** What a client needs to resume. */
export interface Resume {
  readonly session: string
  readonly secret: string
  readonly positions: object
}

/** A client without a network. */
export interface Peer {
  readonly socket: FakeSocket
  readonly handler: SocketHandler
  say(...commands: object[]): void
  /** The messages so far of these types. */
  got(...types: string[]): Record<string, unknown>[]
  /** What is needed to resume its session. */
  resume(positions?: object): Resume
}

/** One node of a cluster, and the link between it and the engine. */
export interface SimulatedNode extends Omit<InterruptedEngine, 'engine'> {
  readonly holdfast: Holdfast
  /** A client that said hello, and was answered. */
  join(user: string, members?: object, address?: string): Promise<Peer>
}

/** Nodes that share an engine and a clock. A node whose link is cut for ever, and whose clients are not looked at any more, is dead. */
export class SimulatedCluster {
  readonly clock: SimulatedClock = new SimulatedClock()
  readonly engine: MemoryEngine = new MemoryEngine({ clock: this.clock })
  readonly #nodes: SimulatedNode[] = []

  /** Starts a node; `isCut`: its link is cut already. */
  async start(node: string, options: Partial<HoldfastOptions> = {}, isCut: boolean = false): Promise<SimulatedNode> {
    const { engine, cut, heal } = interruptedEngine(this.engine)
    if (isCut) cut()
    const { clock } = this
    const holdfast = createHoldfast({
      ...instantTokens(clock),
      channels: TEST_CHANNELS,
      clock,
      engine,
      node,
      // These clients say nothing by themselves.
      heartbeat: { intervalMs: 3_000_000, timeoutMs: 3_600_000 },
      ...options,
    })
    await holdfast.start()
    const join: SimulatedNode['join'] = (user, members = {}, address = '192.0.2.1') =>
      this.#join(holdfast, user, members, address)
    const made = { holdfast, cut, heal, join }
    this.#nodes.push(made)
    return made
  }

  /** Ends every node that can be ended. */
  async close(): Promise<void> {
    for (const node of this.#nodes) node.heal()
    const closed = Promise.all(this.#nodes.map(({ holdfast }) => holdfast.close()))
    await this.clock.pass(20_000, 1_000)
    await closed
  }

  async #join(holdfast: Holdfast, user: string, members: object, address: string): Promise<Peer> {
    const socket = new FakeSocket()
    const handler = holdfast.accept(socket, upgrade({ address }))
    const say = (...commands: object[]): void => {
      const text = commands.map((command) => JSON.stringify(command)).join('\n')
      handler.text(text, text.length)
    }
    const got = (...types: string[]): Record<string, unknown>[] =>
      socket.messages.filter(({ type }) => types.includes(String(type)))
    const resume = (positions: object = {}): Resume => {
      const [welcome = {}] = got('welcome')
      const { id, secret } = welcome['session'] as { id: string; secret: string }
      return { session: id, secret, positions }
    }
    const token = signTokenAt({ secret: TEST_SECRET, tenant: 'acme', user, ttlSeconds: 86_400 }, this.clock.now())
    say({ type: 'hello', token, ...members })
    await this.clock.pass(10, 1)
    // A node that has its session may be dead: then the answer takes its time.
    for (let waited = 0; waited < 1_000 && got('welcome', 'goodbye').length === 0; waited += 50)
      await this.clock.pass(50)
    await this.clock.pass(10, 1)
    return { socket, handler, say, got, resume }
  }
}
