import { machineTimeBetween } from '../../kit/machine-time.js'
import type { Stamped } from './facts.js'
import { readHistory } from './history.js'

interface Harm {
  readonly name: string
  readonly from: number
  /** Infinity while it lasts. */
  to: number
}

/** When things happened in a run, in milliseconds of its one clock; how long they took, without the time in which the machine stood still. */
export class Timeline {
  readonly facts: readonly Stamped[]
  readonly #harms: Harm[] = []
  readonly #acknowledgedAt = new Map<string, number>()

  constructor(file: string) {
    this.facts = [...readHistory(file)]
    for (const fact of this.facts) {
      if (fact.t === 'ok') this.#acknowledgedAt.set(fact.publish, fact.at)
      if (fact.t !== 'fault') continue
      if (fact.phase === 'begin') this.#harms.push({ name: fact.name, from: fact.at, to: Infinity })
      else for (const harm of this.#harms) if (harm.name === fact.name && fact.at < harm.to) harm.to = fact.at
    }
  }

  /** When a fault began and ended. @throws RangeError when there was none of this name. */
  harm(name: string): { readonly from: number; readonly to: number } {
    const harm = this.#harms.find((one) => one.name === name)
    if (harm === undefined) throw new RangeError(`there was no ${name}`)
    return harm
  }

  /** From the end of a fault to the first publish that was acknowledged. */
  firstAcknowledgedAfter(name: string): number {
    const { to } = this.harm(name)
    return machineTimeBetween(to, Math.min(...[...this.#acknowledgedAt.values()].filter((at) => at >= to)))
  }

  /** The longest time between `from` and `to` in which no publish was acknowledged. */
  longestSilence(from: number, to: number): number {
    const times = [...this.#acknowledgedAt.values()].filter((at) => at > from && at < to)
    const marks = [from, ...times.toSorted((one, other) => one - other), to]
    return Math.max(...marks.map((mark, index) => machineTimeBetween(marks[index - 1] ?? mark, mark)))
  }

  /** The longest that a reader waited for a message that was acknowledged between `before` ms before a fault began and `after` ms after it ended. */
  slowestDeliveryAround(name: string, before: number, after: number): number {
    const { from, to } = this.harm(name)
    let slowest = 0
    for (const fact of this.facts) {
      if (fact.t !== 'deliver') continue
      const acknowledgedAt = this.#acknowledgedAt.get(fact.publish) ?? 0
      if (acknowledgedAt >= from - before && acknowledgedAt <= to + after)
        slowest = Math.max(slowest, fact.at - acknowledgedAt)
    }
    return slowest
  }

  /** Clients that lost their connection at any time but within `withinMs` of the beginning of one of these faults. */
  disconnectsOutside(names: readonly string[], withinMs: number): string[] {
    const harms = names.map((name) => this.harm(name))
    return this.facts.flatMap((fact) => {
      if (fact.t !== 'state' || fact.state === 'open' || fact.state === 'connecting') return []
      const isExpected = harms.some(({ from }) => fact.at >= from && fact.at <= from + withinMs)
      return isExpected ? [] : [`${fact.client}: ${fact.state} ${fact.reason}`]
    })
  }
}
