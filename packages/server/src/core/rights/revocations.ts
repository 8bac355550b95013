import { CLOSE, type CloseReason } from '@holdfast/protocol'
import type { Authentication, Authenticator } from '../../access/authenticator.js'
import type { Clock } from '../../clock.js'
import type { Engine } from '../../engine/engine.js'
import type { Audit } from '../../telemetry/audit.js'
import type { ControlDesk } from '../nodes/control.js'
import {
  HeardWithdrawals,
  type Withdrawable,
  type Withdrawal,
  type WithdrawalScope,
  decodeWithdrawal,
  encodeWithdrawal,
  endBy,
  finite,
  isAbout,
  joined,
  scopesOf,
  withdrawalKey,
} from './withdrawal.js'

/** A connection as revocations see it. */
export interface Revocable {
  readonly id: string
  readonly address: string
  readonly isOpen: boolean
  readonly identity: Withdrawable
  close(reason: CloseReason): void
  /** Ends then as if its token expired, unless it ends before. */
  endBy(at: number): void
}

/** What revocations work with. */
export interface RevocationsParts {
  readonly engine: Pick<Engine, 'records' | 'watch' | 'problem'>
  readonly control: Pick<ControlDesk, 'on' | 'tell'>
  readonly clock: Pick<Clock, 'now'>
  readonly audit: Audit
  readonly connections: () => Iterable<Revocable>
  onError(error: unknown): void
}

/** What a withdrawal may say beside what it is about. */
export interface RevokeOptions {
  /** Only what was issued before (default: whenever it was). */
  readonly issuedBefore?: number
  /** From then on (default: now). */
  readonly from?: number
  /** How long it is kept: what is left of the life of what it is about. */
  readonly ttlMs: number
}

/** Writes of one withdrawal that met others of the same are tried so often. */
const TRIES = 16

/** How long what was read of a tenant counts: of all handshakes of that time one asks. */
const TENANT_READ_MS = 1_000
const TENANTS_READ_MAX = 10_000

/** How long a withdrawal is remembered that does not say. */
const UNTOLD_MS = 86_400_000

/** How many are asked for at once when the engine is back. */
const ASKED_AT_ONCE = 64

/**
 * Tokens that were withdrawn before their time: one, those of a user, those of a tenant. A record in the engine keeps them out; a control message ends what lives with
 * them on every node. A node that could not hear it looks at what lives there when its engine is back.
 */
export class Revocations {
  readonly #parts: RevocationsParts
  readonly #heard = new HeardWithdrawals()
  readonly #tenantsRead = new Map<string, { readonly at: number; readonly reading: Promise<Withdrawal | undefined> }>()
  #unwatch: (() => void) | undefined

  constructor(parts: RevocationsParts) {
    this.#parts = parts
    parts.control.on('token.revoke', ({ tenant, user, tokenId, issuedBefore = Infinity, from = 0, until }) =>
      // A node of another version may not say until when.
      this.#take({ tenant, user, tokenId }, { issuedBefore, from, until: until ?? parts.clock.now() + UNTOLD_MS }),
    )
  }

  /** Looks after revocations that could not be heard, from now on. */
  start(): void {
    this.#unwatch ??= this.#parts.engine.watch((problem) => {
      if (problem === undefined) void this.#recheck()
    })
  }

  stop(): void {
    this.#unwatch?.()
    this.#unwatch = undefined
  }

  /** Withdraws tokens, here and on all nodes. Rejects when that cannot be stored: then nothing was done. */
  async revoke(scope: WithdrawalScope, options: RevokeOptions): Promise<void> {
    const { control, clock, audit, onError } = this.#parts
    const { issuedBefore = Infinity, from = 0, ttlMs } = options
    const withdrawal = await this.#store(scope, { issuedBefore, from, until: clock.now() + ttlMs })
    audit.record('auth.revoked', { tenant: scope.tenant, user: scope.user, rule: ruleOf(scope), action: 'withdrawn' })
    this.#take(scope, withdrawal)
    await control.tell('token.revoke', { ...scope, ...finite(withdrawal) }).catch(onError)
  }

  /**
   * An authenticator that also refuses what was withdrawn. While nobody can say, a token with an id is refused, too, for the time being: it rejects; by user and tenant
   * what this node has heard decides then.
   */
  guard(authenticator: Authenticator): Authenticator {
    const judged = (result: Authentication | Promise<Authentication>): Authentication | Promise<Authentication> =>
      result instanceof Promise ? result.then((known) => this.#judge(known)) : this.#judge(result)
    return {
      authenticate: (credential) => judged(authenticator.authenticate(credential)),
      anonymous: () => judged(authenticator.anonymous?.() ?? NO_CREDENTIAL),
      start: () => authenticator.start?.(),
      stop: () => authenticator.stop?.(),
    }
  }

  /** Whether this was withdrawn as far as this node has heard, as of now: also what was heard while a handshake went on. */
  isWithdrawn(identity: Withdrawable): boolean {
    return this.#heard.endOf(identity, this.#parts.clock.now()) === 0
  }

  /** Ends a connection by what was heard while its credential was judged, and holds from a later moment on: a key that is rotated. */
  settle(connection: Revocable): void {
    const end = this.#heard.endOf(connection.identity, this.#parts.clock.now())
    if (end > 0 && end < Infinity) connection.endBy(end)
  }

  /** Resolves to whether the tokens of a user that were issued then were withdrawn. Rejects when the engine refuses. */
  async covers(identity: Withdrawable): Promise<boolean> {
    return this.isWithdrawn(identity) || (await this.#endOf(identity)) === 0
  }

  #judge(result: Authentication): Authentication | Promise<Authentication> {
    if (!('identity' in result)) return result
    const { identity } = result
    if (this.isWithdrawn(identity)) return WITHDRAWN
    const isAway = this.#parts.engine.problem() !== undefined
    if (scopesOf(identity).length === 0 || (isAway && identity.tokenId === undefined)) return result
    return this.#endOf(identity).then((end) => {
      if (end === 0 || this.isWithdrawn(identity)) return WITHDRAWN
      const { expiresAt = Infinity } = identity
      return end < expiresAt ? { identity: { ...identity, expiresAt: end } } : result
    })
  }

  /** When a credential stops to count by what is stored: at most three reads, all at once. */
  async #endOf(identity: Withdrawable): Promise<number> {
    const now = this.#parts.clock.now()
    const ends = scopesOf(identity).map(async (scope) => {
      const stored = await this.#read(scope)
      return stored === undefined ? Infinity : endBy(stored, identity, now)
    })
    return Math.min(Infinity, ...(await Promise.all(ends)))
  }

  /** What is stored; for users and tenants what was heard has to do while nobody can be asked. */
  #read(scope: WithdrawalScope): Promise<Withdrawal | undefined> {
    if (scope.tokenId !== undefined) return this.#ask(scope)
    const reading = scope.user === undefined ? this.#readTenant(scope) : this.#ask(scope)
    return reading.catch((error: unknown) => {
      this.#parts.onError(error)
      return undefined
    })
  }

  #readTenant(scope: WithdrawalScope): Promise<Withdrawal | undefined> {
    const { tenant } = scope
    const now = this.#parts.clock.now()
    const read = this.#tenantsRead.get(tenant)
    if (read !== undefined && Math.abs(now - read.at) < TENANT_READ_MS) return read.reading
    if (this.#tenantsRead.size >= TENANTS_READ_MAX) this.#tenantsRead.clear()
    const reading = this.#ask(scope)
    this.#tenantsRead.set(tenant, { at: now, reading })
    return reading
  }

  async #ask(scope: WithdrawalScope): Promise<Withdrawal | undefined> {
    const record = await this.#parts.engine.records.get(withdrawalKey(scope))
    return record && decodeWithdrawal(record.value, this.#parts.clock.now() + UNTOLD_MS)
  }

  /** Stores it together with an earlier one of the same: that must not become weaker. */
  async #store(scope: WithdrawalScope, asked: Withdrawal): Promise<Withdrawal> {
    const { engine, clock } = this.#parts
    const key = withdrawalKey(scope)
    for (let tries = 0; tries < TRIES; tries += 1) {
      const held = await engine.records.get(key)
      const withdrawal = held ? joined(decodeWithdrawal(held.value, asked.until), asked) : asked
      const options = { ttlMs: Math.max(1, withdrawal.until - clock.now()), ifVersion: held?.version ?? 0 }
      if ((await engine.records.put(key, encodeWithdrawal(withdrawal), options)) !== undefined) return withdrawal
    }
    throw new Error('a withdrawal met too many others of the same')
  }

  #take(scope: WithdrawalScope, withdrawal: Withdrawal): null {
    this.#heard.add(withdrawalKey(scope), withdrawal)
    for (const connection of [...this.#parts.connections()])
      if (connection.isOpen && isAbout(scope, connection.identity)) this.#apply(connection, withdrawal, scope)
    return null
  }

  #apply(connection: Revocable, withdrawal: Withdrawal, scope: WithdrawalScope): void {
    const { id, address, identity } = connection
    const end = endBy(withdrawal, identity, this.#parts.clock.now())
    if (end === Infinity) return
    if (end > 0) return connection.endBy(end)
    const { tenant, user } = identity
    const fields = { tenant, user, connection: id, address, rule: ruleOf(scope), action: 'closed' }
    this.#parts.audit.record('auth.revoked', fields)
    connection.close(CLOSE.tokenRevoked)
  }

  /** Asks for everything that lives here, a few at a time. */
  async #recheck(): Promise<void> {
    const asked = new Map<string, WithdrawalScope>()
    const open = [...this.#parts.connections()].filter(({ isOpen }) => isOpen)
    for (const { identity } of open) for (const scope of scopesOf(identity)) asked.set(withdrawalKey(scope), scope)
    const scopes = [...asked.values()]
    try {
      for (let first = 0; first < scopes.length; first += ASKED_AT_ONCE)
        await Promise.all(scopes.slice(first, first + ASKED_AT_ONCE).map((scope) => this.#recheckOne(scope)))
    } catch (error) {
      // It is away again; it will be back again.
      this.#parts.onError(error)
    }
  }

  async #recheckOne(scope: WithdrawalScope): Promise<void> {
    const stored = await this.#ask(scope)
    if (stored !== undefined) this.#take(scope, stored)
  }
}

const NO_CREDENTIAL: Authentication = { failure: 'missing', detail: 'no credential' }

const WITHDRAWN: Authentication = { failure: 'revoked', detail: 'the token was withdrawn' }

function ruleOf({ user, tokenId }: WithdrawalScope): string {
  if (tokenId !== undefined) return 'token'
  return user === undefined ? 'tenant' : 'user'
}
