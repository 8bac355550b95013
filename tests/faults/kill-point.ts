import type { Reader } from '../cluster/kit/proxy/chaos-proxy.js'
import type { Direction } from '../cluster/kit/proxy/conditions.js'

/**
 * A moment of a publish, as it can be seen between a node and Redis: before the engine has it; when it is stored and the node does not know; when the
 * publisher is told and the node has not heard its own announcement; when subscribers are being told.
 */
export type Moment = 'unstored' | 'unanswered' | 'unheard' | 'heard'

/** Every moment. */
export const MOMENTS: readonly Moment[] = ['unstored', 'unanswered', 'unheard', 'heard']

interface Armed {
  readonly moment: Moment
  readonly strike: () => void
  /** What is looked for on its way back. */
  mark: string | undefined
  /** The line that it went up. */
  line: KillLine | undefined
  hasAnswered: boolean
  hasBeenHeard: boolean
}

/** Watches the lines of one node, and strikes in the middle of the next publish that passes there and has passed nowhere before. */
export class KillPoint {
  readonly #seen: Set<string>
  #armed: Armed | undefined

  /** `seen` are the messages that have passed anywhere; what is published again is neither stored nor announced again. */
  constructor(seen: Set<string>) {
    this.#seen = seen
  }

  /** Reads along on one line. */
  reader(): Reader {
    return new KillLine((line, direction, bytes) => this.#passes(line, direction, bytes))
  }

  /** Calls `strike` at that moment of the next publish. */
  arm(moment: Moment, strike: () => void): void {
    this.#armed = { moment, strike, mark: undefined, line: undefined, hasAnswered: false, hasBeenHeard: false }
  }

  /** Whether these bytes may go on. */
  #passes(line: KillLine, direction: Direction, bytes: Buffer): boolean {
    const fresh = direction === 'up' ? this.#fresh(bytes) : undefined
    if (this.#armed === undefined) return true
    return direction === 'up' ? this.#up(this.#armed, line, fresh) : this.#down(this.#armed, line, bytes)
  }

  /** A message that is published for the first time. */
  #fresh(bytes: Buffer): string | undefined {
    const fresh = (bytes.toString('latin1').match(HASHES) ?? []).filter((hash) => !this.#seen.has(hash))
    for (const hash of fresh) this.#seen.add(hash)
    return fresh[0]
  }

  #up(armed: Armed, line: KillLine, fresh: string | undefined): boolean {
    if (fresh === undefined || armed.line !== undefined) return true
    armed.mark = fresh
    armed.line = line
    if (armed.moment !== 'unstored') return true
    this.#strike(armed)
    return false
  }

  #down(armed: Armed, line: KillLine, bytes: Buffer): boolean {
    if (armed.line === undefined || armed.mark === undefined) return true
    const isAnswer = line === armed.line
    const isHeard = bytes.includes(armed.mark, 0, 'latin1')
    armed.hasAnswered ||= isAnswer
    armed.hasBeenHeard ||= isHeard
    if (armed.moment === 'unanswered') {
      // That it is announced says that it is stored.
      if (isHeard) this.#strike(armed)
      return !isAnswer && !isHeard
    }
    const isOver = armed.hasBeenHeard && (armed.moment === 'heard' || armed.hasAnswered)
    // What was let through has to arrive first.
    if (isOver) setImmediate(() => this.#strike(armed))
    return armed.moment === 'heard' || !isHeard
  }

  #strike(armed: Armed): void {
    if (this.#armed !== armed) return
    this.#armed = undefined
    armed.strike()
  }
}

/** What only one message of a run has in it. */
const HASHES = /"hash":"[^"]+"/g

class KillLine implements Reader {
  readonly #passes: (line: KillLine, direction: Direction, bytes: Buffer) => boolean

  constructor(passes: (line: KillLine, direction: Direction, bytes: Buffer) => boolean) {
    this.#passes = passes
  }

  read(direction: Direction, bytes: Buffer, send: (bytes: Buffer) => void): void {
    if (this.#passes(this, direction, bytes)) send(bytes)
  }
}
