import type { OperationProgress } from '@holdfast/protocol'
import { HoldfastError } from '../core/errors.js'

/** One step of an operation, and how much of the whole it stands for. */
export interface PhaseSpec {
  readonly name: string
  /** Relative to the other phases (default 1). */
  readonly weight?: number
}

/** What a worker may say of its progress. */
export interface ProgressReport {
  /** Units done in this phase. */
  readonly done?: number
  /** Units there are in this phase, when known; it may grow. */
  readonly total?: number
  /** What is counted: `files`, `rows`; cut at 32 characters. */
  readonly unit?: string
  /** What is being worked on; cut at 1,024 characters, like the message. */
  readonly item?: string
  readonly message?: string
}

/** Characters of a unit, of the name of a phase, and of an item or message, that a snapshot holds. */
const UNIT_MAX = 32
const PHASE_MAX = 128
const TEXT_MAX = 1_024

/** How far an operation is: done and total of the current phase, and the percentage of the whole, which never falls. */
export class Progress {
  readonly #phases: readonly Required<PhaseSpec>[]
  readonly #weight: number
  #phase = -1
  #done = 0
  #total: number | undefined
  #unit: string | undefined
  #item: string | undefined
  #message: string | undefined
  #fraction = 0

  constructor(phases: readonly PhaseSpec[], start: ProgressReport) {
    this.#phases = phases.map(({ name, weight = 1 }) => ({ name, weight: atLeastZero('phases.weight', weight) }))
    this.#weight = this.#phases.reduce((sum, { weight }) => sum + weight, 0)
    this.report(start)
  }

  get done(): number {
    return this.#done
  }

  /** The share of the whole that is done, 0 to 1; never falls. */
  get fraction(): number {
    return this.#fraction
  }

  /** Takes what a worker says; members left out stay as they are. */
  report(report: ProgressReport): void {
    if (report.done !== undefined) this.#done = atLeastZero('done', report.done)
    if (report.total !== undefined) this.#total = atLeastZero('total', report.total)
    this.#unit = cut(report.unit, UNIT_MAX) ?? this.#unit
    this.#item = cut(report.item, TEXT_MAX) ?? this.#item
    this.#message = cut(report.message, TEXT_MAX) ?? this.#message
    this.#settle()
  }

  /** The next phase begins; counting starts anew. A name that was not announced is a phase of its own without weight. */
  enter(name: string, start: ProgressReport): void {
    const index = this.#phases.findIndex((phase) => phase.name === name)
    this.#phase = index >= 0 ? index : this.#phase
    this.#done = 0
    this.#total = undefined
    this.#item = undefined
    this.#message = index >= 0 ? undefined : cut(name, TEXT_MAX)
    this.report(start)
  }

  /** As it is when the work is complete: 100 %. */
  finished(): OperationProgress {
    return { ...this.snapshot(), done: this.#total ?? this.#done, percent: 100 }
  }

  /** As it is now. */
  snapshot(): OperationProgress {
    const phase = this.#phases[this.#phase]
    return {
      done: this.#done,
      ...defined({ total: this.#total, unit: this.#unit, item: this.#item, message: this.#message }),
      ...(this.#isDeterminate() && { percent: Math.round(this.#fraction * 1000) / 10 }),
      ...(phase && {
        phase: { name: phase.name.slice(0, PHASE_MAX), index: this.#phase + 1, count: this.#phases.length },
      }),
    }
  }

  #isDeterminate(): boolean {
    return this.#total !== undefined || this.#phase >= 0
  }

  #settle(): void {
    this.#fraction = Math.max(this.#fraction, Math.min(1, this.#current()))
  }

  #current(): number {
    const share = this.#total === undefined ? 0 : this.#total === 0 ? 0 : Math.min(1, this.#done / this.#total)
    const phase = this.#phases[this.#phase]
    if (phase === undefined || this.#weight === 0) return this.#phases.length === 0 ? share : 0
    const before = this.#phases.slice(0, this.#phase).reduce((sum, { weight }) => sum + weight, 0)
    return (before + phase.weight * share) / this.#weight
  }
}

function atLeastZero(name: string, value: number): number {
  if (!Number.isFinite(value) || value < 0)
    throw new HoldfastError('bad_request', `${name} must be a number from 0, received ${value}`)
  return value
}

function cut(text: string | undefined, max: number): string | undefined {
  return text?.slice(0, max)
}

/** Without the members that are undefined. */
function defined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
