import type { Place, Stamped } from '../facts.js'
import { logKey } from './logs.js'
import type { Violations } from './violation.js'

/** Everything that shares a key; a publish without one stands alone. */
interface Group {
  readonly name: string
  readonly hashes: Set<string>
  readonly answers: Map<string, Place & { readonly id: string }>
  /** Where copies of it were seen, by epoch. */
  readonly copies: Map<string, Set<string>>
  conflicts: number
}

/** I6: what is published under one key is stored once, and everybody who asked is told the same place. */
export class Publishes {
  readonly #violations: Violations
  readonly #groups = new Map<string, Group>()
  readonly #groupOf = new Map<string, Group>()
  readonly #outcomes = new Map<string, 'ok' | 'fail' | 'info'>()
  /** Messages stored again after the log that held them was lost, and its keys with it. */
  again = 0

  constructor(violations: Violations) {
    this.#violations = violations
  }

  /** Publishes that were begun. */
  get begun(): number {
    return this.#groupOf.size
  }

  /** Of those that were begun, how many ended so; what has not ended at all is unknown as well. */
  count(outcome: 'ok' | 'fail' | 'info'): number {
    const ended = [...this.#outcomes.values()].filter((one) => one === outcome).length
    return outcome === 'info' ? ended + this.begun - this.#outcomes.size : ended
  }

  take(fact: Stamped): void {
    switch (fact.t) {
      case 'invoke':
        return this.#begin(fact)
      case 'ok':
        this.#outcomes.set(fact.publish, 'ok')
        return this.#answer(fact)
      case 'fail':
      case 'info':
        if (this.#outcomes.get(fact.publish) !== 'ok') this.#outcomes.set(fact.publish, fact.t)
        if (fact.code === 'idempotency_conflict') this.#conflict(fact.publish)
        return
      case 'deliver':
        return this.#copy(fact.publish, fact.epoch, fact.id)
      case 'log':
        for (const [, id, publish] of fact.entries) this.#copy(publish, fact.epoch, id)
        break
      default:
    }
  }

  /** Judges what can only be judged when all is known. */
  end(): void {
    for (const { name, hashes, conflicts, answers, copies } of this.#groups.values()) {
      if (hashes.size > 1 && conflicts === 0 && answers.size > 1)
        this.#violations.add('I6', `${name} was taken with ${hashes.size} payloads`)
      for (const [epoch, ids] of copies)
        if (ids.size > 1) this.#violations.add('I6', `${name} is stored ${ids.size} times in ${epoch}`)
      this.again += Math.max(0, copies.size - 1)
    }
  }

  #begin({ publish, key, user = '', hash, ...where }: Extract<Stamped, { t: 'invoke' }>): void {
    if (this.#groupOf.has(publish)) return this.#violations.add('I6', `${publish} was begun twice`)
    const name = key === undefined ? publish : `${logKey(where)}${user} ${key}`
    const group = this.#groups.get(name) ?? newGroup(key === undefined ? publish : `key ${key}`)
    group.hashes.add(hash)
    this.#groups.set(name, group)
    this.#groupOf.set(publish, group)
  }

  #answer({ publish, epoch, offset, id }: Extract<Stamped, { t: 'ok' }>): void {
    const group = this.#groupOf.get(publish)
    if (group === undefined) return
    const before = group.answers.get(epoch)
    if (before !== undefined && (before.offset !== offset || before.id !== id))
      this.#violations.add('I6', `${group.name} was answered ${epoch}:${before.offset} and ${epoch}:${offset}`)
    group.answers.set(epoch, { epoch, offset, id })
    this.#copy(publish, epoch, id)
  }

  #conflict(publish: string): void {
    const group = this.#groupOf.get(publish)
    if (group === undefined) return
    group.conflicts += 1
    if (group.hashes.size === 1) this.#violations.add('I6', `${publish} was refused as a conflict with itself`)
  }

  #copy(publish: string, epoch: string, id: string): void {
    const copies = this.#groupOf.get(publish)?.copies
    if (copies === undefined) return
    const ids = copies.get(epoch) ?? new Set()
    copies.set(epoch, ids.add(id))
  }
}

function newGroup(name: string): Group {
  return { name, hashes: new Set(), answers: new Map(), copies: new Map(), conflicts: 0 }
}
