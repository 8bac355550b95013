import { eventually } from '../../kit/deadline.js'
import { Child, type ExitStatus } from './child.js'
import type { NodeOptions, NodeQuestions } from './node-questions.js'

/** A node as a process of its own: what an application would ask of it, and every way to end it. */
export class NodeProcess {
  readonly name: string
  readonly port: number
  readonly url: string
  /** Resolves with how it ended. */
  readonly exited: Promise<ExitStatus>
  readonly #child: Child<NodeQuestions>

  private constructor(child: Child<NodeQuestions>, { port, url, node }: NodeQuestions['start']['output']) {
    this.#child = child
    this.name = node
    this.port = port
    this.url = url
    this.exited = child.exited
  }

  /** Starts a node and waits until it listens. Options as of `createHoldfast`, those that are JSON; the secret is that of the tests. */
  static async start(options: NodeOptions = {}, port?: number): Promise<NodeProcess> {
    const child = await Child.start<NodeQuestions>('node-main', options.node ?? 'node')
    try {
      const input = { options, ...(port !== undefined && { port }) }
      return new NodeProcess(child, await child.ask('start', input))
    } catch (error) {
      await child.end()
      throw new Error(`the node did not start: ${String(error)}\n${child.lines.slice(-5).join('\n')}`, { cause: error })
    }
  }

  get pid(): number {
    return this.#child.pid
  }

  get isRunning(): boolean {
    return this.#child.isRunning
  }

  /** The newest lines of its log, and whatever else it wrote. */
  get lines(): readonly string[] {
    return this.#child.lines
  }

  /** The lines of its log that tell of an event. */
  logged(event: string): Record<string, unknown>[] {
    return this.lines
      .filter((line) => line.startsWith('{') && line.includes(`"event":"${event}"`))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  /** Does what an application in the process would do. Rejects with a QuestionError, whose code is that of the server. */
  ask<N extends keyof NodeQuestions>(
    name: N,
    input: NodeQuestions[N]['input'],
    waitMs?: number,
  ): Promise<NodeQuestions[N]['output']> {
    return this.#child.ask(name, input, waitMs)
  }

  /** Resolves when its readiness is as it is to be. */
  async isReady(expected: boolean = true, withinMs: number = 60_000): Promise<void> {
    await eventually(
      `${this.name} is ${expected ? 'ready' : 'unready'}`,
      async () => ((await this.ask('http', { path: '/health/ready' })).status === 200) === expected,
      withinMs,
    )
  }

  /** Ends it at once, in the middle of whatever it does. */
  async kill9(): Promise<void> {
    await this.#child.end('SIGKILL')
  }

  /** Asks it to leave (SIGTERM), which drains it; answers its exit status. */
  term(waitMs?: number): Promise<ExitStatus> {
    return this.#child.end('SIGTERM', waitMs)
  }

  /** Stops it in its tracks. */
  pause(): void {
    this.#child.pause()
  }

  /** Lets it go on. */
  resume(): void {
    this.#child.resume()
  }

  /** Ends it, if it still runs. For the end of a test. */
  async stop(): Promise<void> {
    if (this.isRunning) await this.#child.end('SIGKILL')
  }
}
