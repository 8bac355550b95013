import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { within } from './clock.js'
import type { Answer, Request, RequestTable } from './requests.js'

const START_MS_MAX = 30_000
const END_MS_MAX = 10_000

/** How to start a process of the bench. */
export interface ChildOptions {
  /** A compiled file beside this one. */
  readonly file: string
  readonly args?: readonly string[]
  readonly nodeFlags?: readonly string[]
  /** The processor that the process may run on. */
  readonly core: number
}

/** Whether processes can be tied to a processor here: util-linux's `taskset` is there, and two processors are. */
export function canPin(): boolean {
  return spawnSync('taskset', ['-c', '0,1', 'true']).status === 0
}

/** A process of the bench that answers requests. It ends with this one, whatever happens. */
export class Child<T extends RequestTable<T>> {
  readonly #process: ChildProcess
  readonly #ended: Promise<void>
  readonly #waiting: Map<number, (answer: Answer) => void> = new Map()
  readonly #greeting: Promise<unknown>
  #lastNumber = 0

  constructor(options: ChildOptions) {
    this.#process = spawnPinned(options)
    this.#greeting = new Promise((resolve) => this.#waiting.set(0, (answer) => resolve(answer.output)))
    this.#process.on('message', (answer: Answer) => this.#settle(answer))
    this.#ended = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => {
        this.#settleAll(`the process of ${options.file} ended: ${signal ?? code}`)
        resolve()
      })
    })
  }

  /** What the process said when it was ready. */
  async greeting(): Promise<unknown> {
    return within(START_MS_MAX, 'the start of a process', this.#greeting)
  }

  /**
   * Asks the process for something.
   *
   * @throws Error with the process's own words when it failed, and when it has not answered within `waitMs` milliseconds.
   */
  async ask<Name extends keyof T & string>(
    name: Name,
    input: T[Name]['input'],
    waitMs: number = 60_000,
  ): Promise<T[Name]['output']> {
    const number = ++this.#lastNumber
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(number, resolve))
    this.#process.send({ number, name, input } satisfies Request)
    const { output, problem } = await within(waitMs, `"${name}"`, answered)
    if (problem !== undefined) throw new Error(problem)
    return output
  }

  /** Ends the process: it is asked to leave, and killed when it has not done so within 10 seconds. */
  async end(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect()
    try {
      await within(END_MS_MAX, 'the end of a process', this.#ended)
    } catch {
      this.#process.kill('SIGKILL')
      await this.#ended
    }
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.number)
    this.#waiting.delete(answer.number)
    waiting?.(answer)
  }

  #settleAll(problem: string): void {
    for (const number of this.#waiting.keys()) this.#settle({ number, problem })
  }
}

function spawnPinned({ file, args = [], nodeFlags = [], core }: ChildOptions): ChildProcess {
  const node = [process.execPath, ...nodeFlags, fileURLToPath(new URL(file, import.meta.url)), ...args]
  const command = canPin() ? ['taskset', '-c', String(core), ...node] : node
  return spawn(command[0] ?? process.execPath, command.slice(1), {
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}
