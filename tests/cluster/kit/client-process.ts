import { eventually } from '../../kit/deadline.js'
import { Child } from './child.js'
import type { ClientFigures, ClientGroup, ClientQuestions, Load } from './client-questions.js'
import type { Place, Where } from './facts.js'

/** What a process of clients is set up with. */
export interface ClientProcessOptions {
  /** The file of the history, that all processes of a run append to. */
  readonly history: string
  /** The nodes; each connection goes to the next of them. */
  readonly urls: readonly string[]
  readonly seed: number
  /** Default `clients`. */
  readonly name?: string
}

/** Clients of the SDK, hundreds of them, in a process of their own. */
export class ClientProcess {
  readonly #child: Child<ClientQuestions>

  private constructor(child: Child<ClientQuestions>) {
    this.#child = child
  }

  /** Starts the process; nobody is connected yet. */
  static async start({ name = 'clients', ...options }: ClientProcessOptions): Promise<ClientProcess> {
    const child = await Child.start<ClientQuestions>('client-main', name)
    await child.ask('start', { name, ...options })
    return new ClientProcess(child)
  }

  /** The newest lines that the process wrote. */
  get lines(): readonly string[] {
    return this.#child.lines
  }

  /** Other nodes, for every connection from now on. */
  async useNodes(urls: readonly string[]): Promise<void> {
    await this.#child.ask('useNodes', { urls })
  }

  /** Connects clients and resolves when all of them are subscribed. */
  async connect(group: ClientGroup): Promise<void> {
    await this.#child.ask('connect', group, 90_000)
  }

  /** Begins to publish. */
  async publish(load: Load): Promise<void> {
    await this.#child.ask('publish', load)
  }

  /** Publishes no more; resolves when everything has an outcome, with how many nobody knows. */
  async stopPublishing(withinMs: number = 60_000): Promise<number> {
    const { unknown } = await this.#child.ask('stopPublishing', { withinMs }, withinMs + 40_000)
    return unknown
  }

  /** What the clients have seen so far. */
  figures(): Promise<ClientFigures> {
    return this.#child.ask('figures', null)
  }

  /** Resolves when every reader is at the top of its channel. */
  async caughtUp(tops: () => Promise<readonly (Where & Place)[]>, withinMs: number = 60_000): Promise<void> {
    let some: readonly string[] = []
    const isCaughtUp = async (): Promise<boolean> => {
      const behind = await this.#child.ask('behind', { tops: await tops() })
      ;({ some } = behind)
      return behind.count === 0
    }
    await eventually('every reader is at the top of its channel', isCaughtUp, withinMs).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${some.join('; ')}`, { cause: error })
    })
  }

  /** Cuts the connections of a share of the clients (0 to 1), without a word; answers how many. */
  cut(fraction: number): Promise<number> {
    return this.#child.ask('cut', { fraction })
  }

  /** Ends clients on purpose: all whose names begin so. */
  leave(name: string): Promise<number> {
    return this.#child.ask('leave', { name })
  }

  /** Writes down where every reader is. */
  async rest(): Promise<void> {
    await this.#child.ask('rest', null)
  }

  /** Stops the process in its tracks, as a laptop that sleeps. */
  pause(): void {
    this.#child.pause()
  }

  /** Lets it go on. */
  resume(): void {
    this.#child.resume()
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    if (this.#child.isRunning) await this.#child.end('SIGKILL')
  }
}
