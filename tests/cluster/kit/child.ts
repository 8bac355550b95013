import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { within } from '../../kit/deadline.js'
import { type Guard, guard } from './guard.js'
import { type ProgramName, programFile } from './program.js'
import { type Answer, type Question, QuestionError, type QuestionTable } from './questions.js'

/** Lines of output that are kept. */
const LINES_MAX = 5_000

/** How a process ended: its exit code, or the signal that ended it. */
export type ExitStatus = number | NodeJS.Signals

/** A program as a process of its own, that answers questions. It ends with this one, whatever happens. */
export class Child<T extends QuestionTable<T>> {
  readonly name: string
  /** Resolves when the process has ended. */
  readonly exited: Promise<ExitStatus>
  /** The newest lines that it wrote. */
  readonly lines: string[] = []
  readonly #process: ChildProcess
  readonly #guard: Guard
  readonly #waiting = new Map<number, { resolve(output: unknown): void; reject(error: Error): void }>()
  #lastNumber = 0
  #unread = ''

  private constructor(name: string, process: ChildProcess) {
    this.name = name
    this.#process = process
    this.#guard = guard(process.pid ?? 0)
    process.on('message', (answer: Answer) => this.#settle(answer))
    process.on('error', () => undefined)
    for (const stream of [process.stdout, process.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    this.exited = new Promise((resolve) => {
      process.once('exit', (code, signal) => {
        this.#guard.release()
        const status = signal ?? code ?? 0
        for (const { reject } of this.#waiting.values()) reject(new Error(`the process ${name} ended: ${status}`))
        this.#waiting.clear()
        resolve(status)
      })
    })
  }

  /** Starts a program. It answers from the beginning; what it needs to begin is its first question. */
  static async start<T extends QuestionTable<T>>(program: ProgramName, name: string): Promise<Child<T>> {
    const options = { execArgv: ['--enable-source-maps'], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] as const }
    const process = fork(await programFile(program), [], { ...options, stdio: [...options.stdio] })
    await once(process, 'spawn')
    return new Child<T>(name, process)
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  /**
   * Asks it something.
   *
   * @throws QuestionError with its problem; Error when it ends, or has not answered within `waitMs`.
   */
  async ask<N extends keyof T & string>(name: N, input: T[N]['input'], waitMs = 60_000): Promise<T[N]['output']> {
    const number = (this.#lastNumber += 1)
    const answered = new Promise<unknown>((resolve, reject) => {
      if (!this.isRunning) return reject(new Error(`the process ${this.name} has ended`))
      this.#waiting.set(number, { resolve, reject })
      this.#process.send({ number, name, input } satisfies Question)
    })
    return within(`${this.name} answers "${name}"`, answered, waitMs)
  }

  /** Sends a signal and waits for the end of the process; how it ended. */
  async end(signal: NodeJS.Signals = 'SIGKILL', waitMs: number = 30_000): Promise<ExitStatus> {
    this.#process.kill(signal)
    return within(`${this.name} ends`, this.exited, waitMs)
  }

  /** Stops it in its tracks: its connections stay, and it does nothing. */
  pause(): void {
    this.#process.kill('SIGSTOP')
  }

  /** Lets it go on. */
  resume(): void {
    this.#process.kill('SIGCONT')
  }

  #settle({ number, output, problem }: Answer): void {
    const waiting = this.#waiting.get(number)
    this.#waiting.delete(number)
    if (problem) waiting?.reject(new QuestionError(problem))
    else waiting?.resolve(output)
  }

  #take(text: string): void {
    const lines = (this.#unread + text).split('\n')
    this.#unread = lines.pop() ?? ''
    this.lines.push(...lines)
    this.lines.splice(0, Math.max(0, this.lines.length - LINES_MAX))
  }
}
