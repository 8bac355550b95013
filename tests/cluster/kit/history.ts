import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import type { Fact, Stamped } from './facts.js'

/** Characters that wait before they are written. */
const BATCH_CHARACTERS = 65_536

const BATCH_MS = 50

const CHUNK_BYTES = 1_048_576

/** Milliseconds since 1970, finer than a millisecond; the same for all processes of this machine, whatever becomes of its date. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}

/**
 * The one history of a run: a line of JSON for each fact, appended by every process that takes part. Lines are gathered for a moment
 * and written whole, so that those of several processes do not mix; the last of a process that is killed may be missing.
 */
export class History {
  readonly file: string
  readonly #by: string
  readonly #descriptor: number
  #waiting: string[] = []
  #characters = 0
  #isFlushPlanned = false

  /** Opens the file, or begins it; `by` names this process in it. */
  constructor(file: string, by: string) {
    this.file = file
    this.#by = by
    this.#descriptor = openSync(file, 'a')
    process.once('exit', () => this.flush())
  }

  /** Writes a fact down. */
  note(fact: Fact): void {
    const stamped: Stamped = { ...fact, at: Math.round(now() * 1_000) / 1_000, by: this.#by }
    const line = `${JSON.stringify(stamped)}\n`
    this.#waiting.push(line)
    this.#characters += line.length
    if (this.#characters >= BATCH_CHARACTERS) this.flush()
    else if (!this.#isFlushPlanned) setTimeout(() => this.flush(), BATCH_MS)
    this.#isFlushPlanned = true
  }

  /** Writes what waits. */
  flush(): void {
    this.#isFlushPlanned = false
    if (this.#waiting.length === 0) return
    const bytes = Buffer.from(this.#waiting.join(''))
    this.#waiting = []
    this.#characters = 0
    for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at)
  }

  /** Writes what waits and lets go of the file. */
  close(): void {
    this.flush()
    closeSync(this.#descriptor)
  }
}

/**
 * The facts of a history in the order of the file, however large it is: all of them, or only these kinds. A line that is not whole is left
 * out: its writer was killed.
 */
export function* readHistory(file: string, ...kinds: Fact['t'][]): Generator<Stamped, void, undefined> {
  const beginnings = kinds.map((kind) => `{"t":"${kind}"`)
  const descriptor = openSync(file, 'r')
  try {
    let rest: Buffer = Buffer.alloc(0)
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      const bytes = readSync(descriptor, chunk)
      const text = Buffer.concat([rest, chunk.subarray(0, bytes)])
      const end = bytes === 0 ? text.length : text.lastIndexOf(10) + 1
      yield* factsOf(text.toString('utf8', 0, end), beginnings)
      if (bytes === 0) return
      rest = text.subarray(end)
    }
  } finally {
    closeSync(descriptor)
  }
}

function* factsOf(lines: string, beginnings: readonly string[]): Generator<Stamped, void, undefined> {
  for (const line of lines.split('\n')) {
    const isWanted = beginnings.length === 0 || beginnings.some((beginning) => line.startsWith(beginning))
    const fact = isWanted ? parse(line) : undefined
    if (fact) yield fact
  }
}

function parse(line: string): Stamped | undefined {
  try {
    return JSON.parse(line) as Stamped
  } catch {
    return undefined
  }
}
