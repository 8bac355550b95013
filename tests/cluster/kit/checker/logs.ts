import type { Stamped, Where } from '../facts.js'
import type { Violations } from './violation.js'

interface Stored {
  readonly id: string
  readonly publish: string
  readonly hash: string
}

/** What is known to stand, or to have stood, at an offset. */
export interface KnownEntry {
  readonly offset: number
  readonly id: string
  readonly publish: string
  readonly isAcknowledged: boolean
}

interface Log {
  /** What anybody saw at an offset. */
  readonly seen: Map<number, Stored>
  /** What was acknowledged. */
  readonly acknowledged: Map<number, Stored>
}

interface Begun extends Where {
  readonly hash: string
}

/** The name of a channel, or of one epoch of it, in tables. */
export function logKey({ tenant, channel }: Where, epoch: string = ''): string {
  return `${tenant.length}:${tenant}${channel} ${epoch}`
}

/**
 * I4, I5: within an epoch an offset holds one payload for ever, whoever looks; what a node reads is without a hole; and what was
 * acknowledged is there, or the epoch has ended.
 */
export class Logs {
  readonly #violations: Violations
  readonly #logs = new Map<string, Log>()
  readonly #begun = new Map<string, Begun>()
  /** What nodes read last: the epoch in force. */
  readonly #current = new Map<string, string>()
  acknowledgedCount = 0

  constructor(violations: Violations) {
    this.#violations = violations
  }

  /** The epoch of a channel that a node read last; undefined when none did. */
  epochOf(where: Where): string | undefined {
    return this.#current.get(logKey(where))
  }

  /** What is known of an epoch from one offset to another (default: its end), in order. */
  entries(where: Where, epoch: string, from: number, to: number = Infinity): KnownEntry[] {
    const { seen, acknowledged } = this.#log(where, epoch)
    return [...seen]
      .filter(([offset]) => offset >= from && offset <= to)
      .map(([offset, { id, publish }]) => ({ offset, id, publish, isAcknowledged: acknowledged.has(offset) }))
      .toSorted((one, other) => one.offset - other.offset)
  }

  take(fact: Stamped): void {
    if (fact.t === 'invoke') this.#begun.set(fact.publish, fact)
    else if (fact.t === 'ok') this.#acknowledge(fact)
    else if (fact.t === 'deliver' && fact.offset !== undefined) this.#see(fact, fact.epoch, fact.offset, fact)
    else if (fact.t === 'log') this.#read(fact)
  }

  #acknowledge({ publish, epoch, offset, id }: Extract<Stamped, { t: 'ok' }>): void {
    const begun = this.#begun.get(publish)
    if (begun === undefined) return this.#violations.add('I4', `${publish} was acknowledged and never begun`)
    this.acknowledgedCount += 1
    const stored = { id, publish, hash: begun.hash }
    // Under one key several publishes may be one message: what counts is its payload.
    this.#see(begun, epoch, offset, stored)
    this.#log(begun, epoch).acknowledged.set(offset, stored)
  }

  #see(where: Where, epoch: string, offset: number, { id, publish, hash }: Stored): void {
    const { seen } = this.#log(where, epoch)
    const before = seen.get(offset)
    if (before === undefined) seen.set(offset, { id, publish, hash })
    else if (before.id !== id || before.hash !== hash)
      this.#violations.add(
        'I4',
        `${where.channel} ${epoch}:${offset} holds ${before.publish} (${before.id}) and ${publish} (${id})`,
      )
  }

  #read({ entries, epoch, node, ...where }: Extract<Stamped, { t: 'log' }>): void {
    this.#current.set(logKey(where), epoch)
    for (const [index, [offset, id, publish, hash]] of entries.entries()) {
      this.#see(where, epoch, offset, { id, publish, hash })
      const before = entries[index - 1]?.[0]
      if (before !== undefined && offset !== before + 1)
        this.#violations.add('I4', `${where.channel} ${epoch}: ${node} reads ${offset} after ${before}`)
    }
    const stored = new Set(entries.map(([offset]) => offset))
    const first = entries[0]?.[0] ?? 1
    for (const [offset, { publish }] of this.#log(where, epoch).acknowledged)
      if (offset >= first && !stored.has(offset))
        this.#violations.add(
          'I5',
          `${where.channel} ${epoch}:${offset} (${publish}) was acknowledged; ${node} has lost it`,
        )
  }

  #log(where: Where, epoch: string): Log {
    const key = logKey(where, epoch)
    const log = this.#logs.get(key) ?? { seen: new Map(), acknowledged: new Map() }
    this.#logs.set(key, log)
    return log
  }
}
