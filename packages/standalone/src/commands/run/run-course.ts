import { StringDecoder } from 'node:string_decoder'
import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import type { Clock } from '../../clock.js'
import { EXIT } from '../../failure.js'
import type { Shell } from '../../shell.js'
import type { Api } from '../api.js'
import type { ServerAccess } from '../server-access.js'
import { type Child, type ChildEnd, startChild } from './child.js'
import { type LiveWatch, watchLive } from './live-watch.js'
import { localSnapshot } from './local-snapshot.js'
import { createOutputLines } from './output-lines.js'
import { type OutputReader, type OutputReaderOptions, type Reading, createOutputReader } from './output-progress.js'
import { Reporter, type RunEnding, type RunSpec } from './reporter.js'
import { type RunDisplay, type RunView, createRunDisplay } from './run-display.js'

/** What a run is made of. */
export interface RunParts {
  readonly shell: Shell
  readonly clock: Clock
  readonly access: ServerAccess
  readonly api: Api
  readonly command: readonly string[]
  readonly spec: RunSpec
  readonly mayTakeUp: boolean
  readonly key: string
  readonly reading: OutputReaderOptions
  readonly graceMs: number
  readonly endTimeoutMs: number
  readonly leaseMs: number
  readonly quiet: boolean
  /** How others watch it. */
  readonly watchHint: (snapshot: OperationSnapshot) => string
}

/** Who asked for the end before the command came to its own. */
type Stopper = 'person' | 'watcher' | 'other worker'

/** Milliseconds between heartbeats while a cancel could be learned from them alone. */
const LISTEN_EVERY_MS = 2_000

/** How long a command may take to stop before a person is told how to kill it. */
const HINT_AFTER_MS = 1_000

/** One command from its start to the moment that everybody knows how it ended. */
export class Run {
  readonly #parts: RunParts
  readonly #reporter: Reporter
  readonly #display: RunDisplay
  readonly #startedAt: number
  readonly #leaving = new AbortController()
  #child: Child | undefined
  #stopper: Stopper | undefined
  #snapshot: OperationSnapshot | undefined
  #heardAt = 0
  #hint: (() => void) | undefined
  #reading: Reading = {}
  #live: LiveWatch | undefined
  #problem: string | undefined
  #isAway = false
  #wasTold = false

  constructor(parts: RunParts) {
    const { shell, clock, api, spec, mayTakeUp, key, leaseMs } = parts
    this.#parts = parts
    this.#startedAt = clock.now()
    this.#display = createRunDisplay(shell, clock, () => this.#view())
    this.#reporter = new Reporter({
      api,
      spec,
      mayTakeUp,
      key,
      clock,
      heartbeatMs: () => Math.min(leaseMs / 3, this.#live?.isLive() ? Infinity : LISTEN_EVERY_MS),
      events: {
        snapshot: (snapshot) => this.#see(snapshot),
        cancelled: () => this.#stop('watcher', 'SIGTERM'),
        superseded: () => this.#stop('other worker', 'SIGTERM'),
        trouble: (reason) => this.#trouble(reason),
        refused: (reason) => this.#refused(reason),
      },
    })
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) shell.onSignal(name, () => this.#stop('person', name))
    for (const stream of ['stdout', 'stderr'] as const) shell.onReaderGone(stream, () => this.#child?.deafen(stream))
  }

  /** Whether the server knows of it. */
  get isTold(): boolean {
    return this.#wasTold
  }

  /** Why it does not. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Begins to tell the server. Resolves with its first answer, or when it cannot be reached. */
  announce(): Promise<void> {
    return this.#reporter.begin()
  }

  /** Ends before the command was run. */
  abandon(): void {
    this.#reporter.stop()
    this.#live?.stop()
    this.#display.end()
  }

  /** Runs the command and tells how it ended; resolves with the exit code. */
  async untilEnded(): Promise<number> {
    const { watchHint, spec } = this.#parts
    if (this.#wasTold || this.#isAway || this.#problem === undefined)
      this.#note(`${spec.id}: watch it with: ${watchHint(this.#snapshot ?? this.#local())}`)
    const end = this.#stopper === undefined ? await this.#startCommand().ended : NOT_STARTED
    this.#hint?.()
    const ending = this.#endingOf(end)
    const untold = await this.#reporter.end(ending, this.#parts.endTimeoutMs, this.#leaving.signal)
    this.#finish(ending)
    if (untold !== undefined) this.#note(`the server does not know that it ${WORD[ending.state]}: ${untold}`)
    return this.#exitCode(end)
  }

  #startCommand(): Child {
    const { shell, clock, command, spec } = this.#parts
    const read = createOutputReader(this.#parts.reading)
    const streams = { stdout: lineReader(read), stderr: lineReader(read) }
    const env = { ...shell.env, HOLDFAST_OPERATION: spec.id }
    this.#child = startChild({
      command,
      cwd: shell.cwd,
      env,
      clock,
      output: (stream, chunk) => {
        if (!this.#parts.quiet) this.#display.output(stream, chunk)
        for (const reading of streams[stream](chunk)) this.#report(reading)
      },
    })
    return this.#child
  }

  #report(reading: Reading): void {
    this.#reading = { ...this.#reading, ...reading }
    this.#reporter.report(reading)
  }

  #see(snapshot: OperationSnapshot): void {
    const { access, spec, clock } = this.#parts
    this.#wasTold = true
    if (this.#snapshot && this.#snapshot.attempt === snapshot.attempt && this.#snapshot.version > snapshot.version)
      return
    this.#snapshot = snapshot
    this.#heardAt = clock.now()
    if (!isTerminal(snapshot.state))
      this.#live ??= watchLive(access, spec.id, clock, (seen) => this.#reporter.see(seen))
  }

  #stop(stopper: Stopper, signal: NodeJS.Signals): void {
    // Whoever has waited for the server to hear of the end waits no longer.
    if (this.#stopper !== undefined && stopper === 'person') this.#leaving.abort()
    if (this.#stopper === undefined && stopper === 'person') this.#sayHowToKill()
    this.#stopper ??= stopper
    if (stopper === 'other worker') this.#note(`another worker has taken ${this.#parts.spec.id} over; stopping`)
    this.#child?.stop(signal, this.#parts.graceMs)
  }

  /** Some commands take their time to stop, or do not mean to. */
  #sayHowToKill(): void {
    this.#hint = this.#parts.clock.after(HINT_AFTER_MS, () => this.#note('stopping; Ctrl-C again kills it'))
  }

  #trouble(reason: string | undefined): void {
    if (reason !== undefined && !this.#isAway)
      this.#note(`${this.#wasTold ? 'not reported now' : 'not reported'}: ${reason}`)
    if (reason === undefined && this.#isAway) this.#note('reporting again')
    this.#isAway = reason !== undefined
    if (!this.#wasTold) this.#problem = reason
  }

  #refused(reason: string): void {
    this.#problem = reason
    this.#note(`not reported: ${reason}`)
  }

  #note(text: string): void {
    this.#display.note(`holdfast: ${text}`)
  }

  #view(): RunView {
    const known = this.#isAway ? undefined : this.#snapshot
    const snapshot = known ?? this.#local()
    const heardMs = known ? this.#parts.clock.now() - this.#heardAt : 0
    return { snapshot, heardMs, trouble: this.#stopper && !isTerminal(snapshot.state) ? 'stopping' : undefined }
  }

  /** What the server would show, as far as that can be known without it. */
  #local(state: OperationSnapshot['state'] = 'running'): OperationSnapshot {
    const { spec, clock, access } = this.#parts
    const seconds = (clock.now() - this.#startedAt) / 1000
    return localSnapshot({ spec, access, state, reading: this.#reading, seconds, last: this.#snapshot })
  }

  #endingOf({ status, signal, problem }: ChildEnd): RunEnding {
    if (this.#stopper !== undefined) return { state: 'cancelled' }
    const durationSeconds = Math.round((this.#parts.clock.now() - this.#startedAt) / 100) / 10
    if (status === 0) return { state: 'completed', result: { exitCode: 0, durationSeconds } }
    const what = problem ?? (signal ? `The command was ended by ${signal}` : `The command ended with status ${status}`)
    const { message = '' } = this.#reading
    const code = signal ? `signal_${signal}` : `exit_${status}`
    return { state: 'failed', error: { code, message: message === '' || problem ? what : `${what}: ${message}` } }
  }

  #finish(ending: RunEnding): void {
    this.#live?.stop()
    const last = this.#snapshot
    if (last === undefined || !isTerminal(last.state)) this.#snapshot = this.#local(ending.state)
    this.#isAway = false
    this.#display.end()
    if (ending.state === 'failed') this.#note(`${this.#parts.spec.id} failed: ${ending.error.message}`)
  }

  #exitCode({ status }: ChildEnd): number {
    if (this.#stopper === 'person') return EXIT.interrupted
    if (this.#stopper === 'watcher') return EXIT.cancelled
    return this.#stopper === undefined ? status : EXIT.failed
  }
}

const NOT_STARTED: ChildEnd = { status: 0, signal: undefined, problem: undefined }

const WORD = { completed: 'completed', failed: 'failed', cancelled: 'was cancelled' } as const

/** The readings of a stream, of one piece after another; a character may come in two. */
function lineReader(read: OutputReader): (chunk: Buffer) => readonly Reading[] {
  const decoder = new StringDecoder('utf8')
  const lines = createOutputLines()
  return (chunk) => lines.take(decoder.write(chunk)).map(read)
}
