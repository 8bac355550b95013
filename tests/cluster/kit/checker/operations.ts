import type { OperationView, Stamped } from '../facts.js'
import type { Violations } from './violation.js'

const TERMINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'expired'])

/** I7: an operation ends once, everybody sees the same end, and nothing that is told of it goes back. */
export class OperationsSeen {
  readonly #violations: Violations
  readonly #begun = new Set<string>()
  /** How each ended, as whoever saw it first. */
  readonly #ends = new Map<string, string>()
  readonly #last = new Map<string, OperationView>()
  readonly #read = new Set<string>()

  constructor(violations: Violations) {
    this.#violations = violations
  }

  /** Operations that were begun. */
  get begun(): number {
    return this.#begun.size
  }

  take(fact: Stamped): void {
    if (fact.t === 'operation-begun') this.#begun.add(nameOf(fact))
    else if (fact.t === 'operation') this.#see(fact.watcher, fact)
    else if (fact.t === 'operation-read') {
      this.#read.add(nameOf(fact))
      this.#compareEnd(fact.node, fact)
      if (!TERMINAL.has(fact.state)) this.#violations.add('I7', `${nameOf(fact)} is ${fact.state} at the end`)
    }
  }

  end(): void {
    for (const [seenBy, view] of this.#last)
      if (!TERMINAL.has(view.state)) this.#violations.add('I7', `${seenBy} never learnt how it ended`)
    for (const name of this.#begun)
      if (!this.#ends.has(name) && !this.#read.has(name)) this.#violations.add('I7', `${name} has not ended`)
  }

  #see(watcher: string, view: OperationView): void {
    const key = `${watcher} of ${nameOf(view)}`
    const before = this.#last.get(key)
    this.#last.set(key, view)
    this.#compareEnd(watcher, view)
    if (before === undefined) return
    if (TERMINAL.has(before.state))
      return this.#violations.add('I7', `${key} was told ${view.state} after ${before.state}`)
    if (view.version <= before.version)
      return this.#violations.add('I7', `${key} was told version ${view.version} after ${before.version}`)
    const { percent = 0 } = view
    if (view.attempt === before.attempt && percent < (before.percent ?? 0))
      this.#violations.add('I7', `${key} was told ${percent} % after ${before.percent} %`)
  }

  #compareEnd(by: string, view: OperationView): void {
    if (!TERMINAL.has(view.state)) return
    const name = nameOf(view)
    const end = this.#ends.get(name) ?? view.state
    this.#ends.set(name, end)
    if (end !== view.state) this.#violations.add('I7', `${by} saw ${name} ${view.state}, others ${end}`)
  }
}

function nameOf({ tenant, id }: { readonly tenant: string; readonly id: string }): string {
  return `operation ${tenant}/${id}`
}
