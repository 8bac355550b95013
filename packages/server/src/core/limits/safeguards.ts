import type { Clock } from '../../clock.js'
import type { Engine, Rate } from '../../engine/engine.js'
import { type Identity, userKey } from '../../access/identity.js'
import type { MemoryProbe } from '../../memory.js'
import type { Random } from '../../random.js'
import type { Audit } from '../../telemetry/audit.js'
import { AddressRate, type WiderRate } from './address-rate.js'
import type { Admission } from './admission.js'
import { HoldfastError } from '../errors.js'
import { Newcomers } from './newcomers.js'
import type { OutboxBudget } from '../connection/outbox-budget.js'
import { type Idler, Overload, type OverloadLevel, type OverloadLimits } from './overload.js'
import type { RateLimits } from './rate-limits.js'
import { RateTable } from './rate-table.js'
import { Reception } from './reception.js'
import { type LimitName, Refusals } from './refusals.js'
import { SharedRate } from './shared-rate.js'
import type { ThrottleParts } from './throttle.js'

/** What the safeguards of a node work with. */
export interface SafeguardParts {
  readonly clock: Clock
  readonly random: Random
  readonly engine: Pick<Engine, 'rates' | 'problem'>
  readonly admission: Admission
  readonly budget: OutboxBudget
  readonly audit: Audit
  readonly memory: MemoryProbe
  readonly limits: { readonly rates: RateLimits; readonly overload: OverloadLimits }
  /** Whether no other node can share the engine: then what holds for this node holds for all. */
  readonly isAlone: boolean
  /** How many nodes live. */
  nodes(): number
  /** Those of this node, the oldest first. */
  connections(): Iterable<Idler>
}

/** What the limits of a node are doing. */
export interface LimitStats {
  /** How often each limit has refused something since the node began; limits that have not are not named. */
  readonly refused: Readonly<Partial<Record<LimitName, number>>>
  /** Connections that have not been welcomed. */
  readonly newcomers: number
  readonly overload: { readonly level: OverloadLevel; readonly memoryPercent: number }
}

/** Who did too much. */
export interface Offender {
  readonly id: string
  readonly address: string
  readonly identity: Pick<Identity, 'tenant' | 'user'>
}

const UNLIMITED: WiderRate = { take: () => 0 }

/** What protects a node, and those on it, from those who want too much: rates over addresses and users, newcomers, memory. What one connection may do is in its `Throttle`. */
export class Safeguards {
  readonly refusals: Refusals
  readonly newcomers: Newcomers
  readonly overload: Overload
  readonly reception: Reception
  /** What the throttle of each connection works with. */
  readonly connection: ThrottleParts
  readonly #handshakes: AddressRate
  readonly #failedAuthentications: AddressRate
  readonly #recoveries: RateTable
  readonly #userPublishes: SharedRate | undefined
  readonly #shared: SharedRate[] = []

  constructor(parts: SafeguardParts) {
    const { clock, random, audit, memory, limits, admission, budget, connections } = parts
    const { rates } = limits
    const wide = (rate: Rate): WiderRate => (parts.isAlone ? UNLIMITED : this.#share(parts, rate))
    const ofAddress = (name: string, rate: Rate): AddressRate => new AddressRate(name, rate, clock, wide(rate))
    this.refusals = new Refusals(audit)
    this.connection = { clock, rates: rates.connection, refusals: this.refusals }
    this.newcomers = new Newcomers(clock, rates.newcomers)
    this.overload = new Overload({ clock, random, memory, audit, limits: limits.overload, connections })
    this.#handshakes = ofAddress('handshakes', rates.handshakes)
    this.#failedAuthentications = ofAddress('failed-authentications', rates.failedAuthentications)
    this.#recoveries = new RateTable(clock, rates.recoveries)
    this.#userPublishes = rates.userPublishes && this.#share(parts, rates.userPublishes)
    this.reception = new Reception({
      admission,
      budget,
      random,
      overload: this.overload,
      newcomers: this.newcomers,
      handshakes: this.#handshakes,
      refusals: this.refusals,
    })
  }

  start(): void {
    this.overload.start()
  }

  stop(): void {
    this.overload.stop()
    this.newcomers.stop()
    for (const rate of this.#shared) rate.close()
  }

  stats(): LimitStats {
    const { level, percent } = this.overload
    return {
      refused: this.refusals.counts(),
      newcomers: this.newcomers.size,
      overload: { level, memoryPercent: percent },
    }
  }

  /** Before a credential is looked at: 0, or after how many milliseconds this address may come again. */
  async handshake(address: string): Promise<number> {
    const waitMs = await this.#handshakes.takeEverywhere(address)
    if (waitMs > 0) this.refusals.note('handshakes', { address, action: 'hello' })
    return waitMs
  }

  /**
   * A credential was no good: 0, or after how many milliseconds this address may try another. Good ones are not counted and never refused, so
   * that nobody is kept out by a neighbour who guesses.
   */
  async failedAuthentication(connection: string, address: string): Promise<number> {
    const here = this.#failedAuthentications.takeHere(address)
    const waitMs = here > 0 ? here : await this.#failedAuthentications.takeEverywhere(address)
    if (waitMs > 0) this.refusals.note('failedAuthentications', { connection, address })
    return waitMs
  }

  /** A subscription of this user is about to recover. @throws HoldfastError `rate_limited`. */
  recovery(offender: Offender): void {
    const waitMs = this.#recoveries.take(userKey(offender.identity))
    if (waitMs > 0) throw this.#refused('recoveries', offender, waitMs)
  }

  /** History or presence is asked for. @throws HoldfastError `rate_limited` while the node is short of memory. */
  read(offender: Offender): void {
    const waitMs = this.overload.readsWait
    if (waitMs !== undefined) throw this.#refused('overload', offender, waitMs)
  }

  /** This user publishes. A promise only where all nodes have to be asked. @throws HoldfastError `rate_limited`. */
  publish(offender: Offender): Promise<void> | undefined {
    const waitMs = this.#userPublishes?.take(`publishes:${userKey(offender.identity)}`) ?? 0
    if (waitMs instanceof Promise) return waitMs.then((waited) => this.#check('userPublishes', offender, waited))
    this.#check('userPublishes', offender, waitMs)
    return undefined
  }

  #check(limit: LimitName, offender: Offender, waitMs: number): void {
    if (waitMs > 0) throw this.#refused(limit, offender, waitMs)
  }

  #refused(limit: LimitName, { id, address, identity }: Offender, retryAfter: number): HoldfastError {
    const { tenant, user } = identity
    this.refusals.note(limit, { connection: id, address, tenant, user })
    return new HoldfastError('rate_limited', undefined, { retryAfter })
  }

  #share(parts: SafeguardParts, rate: Rate): SharedRate {
    const shared = new SharedRate(parts, rate)
    this.#shared.push(shared)
    return shared
  }
}
