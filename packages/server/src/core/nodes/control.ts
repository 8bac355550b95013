import type { Cancel, Clock } from '../../clock.js'
import type { Control } from '../../engine/engine.js'
import type { Random } from '../../random.js'
import { type Logger, errorFields } from '../../telemetry/log.js'
import { CONTROL_READERS, type ControlAnswer, type ControlAsk, type ControlKind } from './control-messages.js'
import { membersOf } from '../members.js'
import type { Retries } from '../retries.js'
import { type Letter, Seal } from './seal.js'

/** What a control desk works with. */
export interface ControlParts {
  readonly control: Control
  /** What the nodes share, and nobody else knows. */
  readonly secret: string
  readonly node: string
  readonly clock: Clock
  readonly random: Random
  readonly retries: Retries
  readonly log: Logger
}

/** Milliseconds that whoever asks waits for an answer. */
const ANSWER_MS = 1_000

/** How long a node that did not answer is not asked again, unless it says something. */
const SILENT_MS = 5_000

/** Questions that wait for an answer at a time; beyond it they get none. */
const WAITING_MAX = 20_000

/** How often a refusal is logged, for each reason. */
const LOG_EVERY_MS = 1_000

/** Silent nodes remembered. */
const SILENT_MAX = 1_000

type Answerer = (ask: unknown) => unknown

interface Question {
  /** The nodes that have not answered yet. */
  readonly awaited: Set<string>
  readonly answers: unknown[]
  readonly cancel: Cancel
  done(answers: readonly unknown[]): void
}

interface Saying {
  readonly kind: string
  readonly ask: unknown
  readonly question: string | undefined
}

/**
 * What nodes say to each other, sealed: who can write where the announcements travel cannot make a node do anything. Best effort: what is not answered in
 * time has no answer, and what cannot be believed is counted, logged without its content, and dropped.
 */
export class ControlDesk {
  readonly #parts: ControlParts
  readonly #seal: Seal
  readonly #answerers = new Map<string, Answerer>()
  readonly #questions = new Map<string, Question>()
  readonly #silent = new Map<string, number>()
  #unlisten: (() => Promise<void>) | undefined
  #stopped = false
  #refused = 0
  readonly #loggedAt = new Map<string, number>()
  #asked = 0

  constructor(parts: ControlParts) {
    this.#parts = parts
    this.#seal = new Seal(parts.secret, parts.node, parts.clock, parts.random)
  }

  /** Messages that were not believed. */
  get refused(): number {
    return this.#refused
  }

  /** Says what a message does, and what is answered. */
  on<K extends ControlKind>(
    kind: K,
    answer: (ask: ControlAsk<K>) => ControlAnswer<K> | Promise<ControlAnswer<K>>,
  ): void {
    const read: (value: unknown) => ControlAsk<K> | undefined = CONTROL_READERS[kind].ask
    this.#answerers.set(kind, (value) => {
      const ask = read(value)
      return ask === undefined ? this.#refuse('malformed') : answer(ask)
    })
  }

  /** Listens from now on; resolves when the first try to do so has ended. */
  start(): Promise<void> {
    return this.#parts.retries.insist(async () => {
      const { control, node } = this.#parts
      const unlisten = await control.receive(node, (text) => this.#receive(text))
      if (this.#stopped) await unlisten()
      else this.#unlisten = unlisten
    })
  }

  /** Nothing is heard any more, and whoever waits has no answer. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const id of [...this.#questions.keys()]) this.#finish(id)
    await this.#unlisten?.().catch(() => undefined)
  }

  /** Says something to all nodes, this one included. Rejects when the engine cannot be reached. */
  async tell<K extends ControlKind>(kind: K, ask: ControlAsk<K>): Promise<void> {
    await this.#send(undefined, { kind, ask })
  }

  /** Asks a node; undefined when no answer comes within a second, and at once when it does not listen or did not answer another a moment ago. */
  async ask<K extends ControlKind>(node: string, kind: K, ask: ControlAsk<K>): Promise<ControlAnswer<K> | undefined> {
    if (this.#isSilent(node)) return undefined
    const [answer] = await this.#question(node, [node], kind, ask).catch(() => [])
    return answer
  }

  /** Asks nodes all at once; answers what came within a second. Rejects when the engine cannot be reached. */
  askAll<K extends ControlKind>(
    nodes: readonly string[],
    kind: K,
    ask: ControlAsk<K>,
  ): Promise<readonly ControlAnswer<K>[]> {
    return nodes.length === 0 ? Promise.resolve([]) : this.#question(undefined, nodes, kind, ask)
  }

  // Out

  #send(to: string | undefined, content: object): Promise<boolean> {
    return this.#parts.control.send(to, this.#seal.close(to, content))
  }

  async #question<K extends ControlKind>(
    to: string | undefined,
    nodes: readonly string[],
    kind: K,
    ask: ControlAsk<K>,
  ): Promise<readonly ControlAnswer<K>[]> {
    if (this.#questions.size >= WAITING_MAX) return []
    const id = String((this.#asked += 1))
    const answers = this.#await(id, nodes)
    try {
      // A node that was killed has left the store by now, and whoever waits for the dead waits long.
      if (!(await this.#send(to, { kind, ask, question: id }))) this.#giveUp(id)
    } catch (error) {
      this.#finish(id)
      throw error
    }
    const read: (value: unknown) => ControlAnswer<K> | undefined = CONTROL_READERS[kind].answer
    return (await answers).map(read).filter((answer) => answer !== undefined)
  }

  #await(id: string, nodes: readonly string[]): Promise<readonly unknown[]> {
    return new Promise((done) => {
      const cancel = this.#parts.clock.after(ANSWER_MS, () => this.#giveUp(id))
      this.#questions.set(id, { awaited: new Set(nodes), answers: [], cancel, done })
    })
  }

  #giveUp(id: string): void {
    const until = this.#parts.clock.now() + SILENT_MS
    for (const node of this.#questions.get(id)?.awaited ?? []) {
      if (this.#silent.size >= SILENT_MAX) this.#silent.clear()
      this.#silent.set(node, until)
    }
    this.#finish(id)
  }

  #finish(id: string): void {
    const question = this.#questions.get(id)
    if (question === undefined) return
    this.#questions.delete(id)
    question.cancel()
    question.done(question.answers)
  }

  #isSilent(node: string): boolean {
    const until = this.#silent.get(node)
    if (until === undefined) return false
    if (until > this.#parts.clock.now()) return true
    this.#silent.delete(node)
    return false
  }

  // In

  #receive(text: string): void {
    const opened = this.#seal.open(text)
    if ('refusal' in opened) return this.#refuse(opened.refusal, opened.ageMs)
    const { from, content } = opened.letter
    this.#silent.delete(from)
    const { answerTo, answer, kind, ask, question } = membersOf(content)
    if (typeof answerTo === 'string') return this.#answered(answerTo, from, answer)
    if (typeof kind !== 'string') return this.#refuse('malformed')
    void this.#answer(opened.letter, { kind, ask, question: typeof question === 'string' ? question : undefined })
  }

  #answered(id: string, from: string, answer: unknown): void {
    const question = this.#questions.get(id)
    // Only who was asked, and once.
    if (question === undefined || !question.awaited.delete(from)) return
    question.answers.push(answer)
    if (question.awaited.size === 0) this.#finish(id)
  }

  /** Whoever asked what this version does not know, or what went wrong here, learns that there is no answer, and need not wait for it. */
  async #answer({ from }: Letter, { kind, ask, question }: Saying): Promise<void> {
    try {
      const answer = await this.#answerers.get(kind)?.(ask)
      if (question !== undefined) await this.#send(from, { answerTo: question, answer: answer ?? null })
    } catch (error) {
      const fields = { event: 'control.unanswered', kind, ...errorFields(error) }
      this.#parts.log.warn(fields, 'a question of a node has no answer')
      if (question !== undefined) await this.#send(from, { answerTo: question, answer: null }).catch(() => undefined)
    }
  }

  /** Logged once a second for each reason: whoever sends what nobody believes must not fill the log. */
  #refuse(reason: string, ageMs?: number): undefined {
    this.#refused += 1
    const now = this.#parts.clock.now()
    if (now - (this.#loggedAt.get(reason) ?? -Infinity) < LOG_EVERY_MS) return
    this.#loggedAt.set(reason, now)
    const fields = { event: 'control.refused', reason, ageMs, refused: this.#refused }
    this.#parts.log.warn(fields, 'a message between nodes was not believed')
  }
}
