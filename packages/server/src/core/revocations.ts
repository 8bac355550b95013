import { CLOSE, type CloseReason } from '@holdfast/protocol'
import type { Authentication, Authenticator } from '../access/authenticator.js'
import type { Identity } from '../access/identity.js'
import type { Engine } from '../engine/engine.js'
import type { ControlDesk } from './control.js'

/** A connection as revocations see it. */
export interface Revocable {
  readonly isOpen: boolean
  readonly identity: Pick<Identity, 'tenant' | 'tokenId'>
  close(reason: CloseReason): void
}

/** What revocations work with. */
export interface RevocationsParts {
  readonly engine: Pick<Engine, 'records' | 'watch'>
  readonly control: Pick<ControlDesk, 'on' | 'tell'>
  readonly connections: () => Iterable<Revocable>
  onError(error: unknown): void
}

/**
 * Tokens that were withdrawn before their time, by their id. A record in the engine keeps them out; a control message ends what lives with them on every node.
 * A node that could not hear it looks at what lives there when its engine is back.
 */
export class Revocations {
  readonly #parts: RevocationsParts
  #unwatch: (() => void) | undefined

  constructor(parts: RevocationsParts) {
    this.#parts = parts
    parts.control.on('token.revoke', ({ tenant, tokenId }) => this.#end(tenant, tokenId))
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

  /** Withdraws a token for `ttlMs`, which is to be what is left of its life. Rejects when that cannot be stored. */
  async revoke(tenant: string, tokenId: string, ttlMs: number): Promise<void> {
    const { engine, control, onError } = this.#parts
    await engine.records.put(recordKey(tenant, tokenId), 'revoked', { ttlMs })
    this.#end(tenant, tokenId)
    await control.tell('token.revoke', { tenant, tokenId }).catch(onError)
  }

  /** An authenticator that also refuses what was withdrawn. While nobody can say, a token with an id is refused, too, for the time being: it rejects. */
  guard(authenticator: Authenticator): Authenticator {
    return {
      authenticate: (credential) => {
        const result = authenticator.authenticate(credential)
        return result instanceof Promise ? result.then((known) => this.#judge(known)) : this.#judge(result)
      },
    }
  }

  #judge(result: Authentication): Authentication | Promise<Authentication> {
    if (!('identity' in result) || result.identity.tokenId === undefined) return result
    const { tenant, tokenId } = result.identity
    const judged = (isRevoked: boolean): Authentication =>
      isRevoked ? { failure: 'revoked', detail: 'the token was withdrawn' } : result
    return this.#isRevoked(tenant, tokenId).then(judged)
  }

  async #isRevoked(tenant: string, tokenId: string): Promise<boolean> {
    return (await this.#parts.engine.records.get(recordKey(tenant, tokenId))) !== undefined
  }

  #end(tenant: string, tokenId: string): null {
    for (const connection of [...this.#parts.connections()]) {
      const isMeant =
        connection.isOpen && connection.identity.tokenId === tokenId && connection.identity.tenant === tenant
      if (isMeant) connection.close(CLOSE.tokenRevoked)
    }
    return null
  }

  async #recheck(): Promise<void> {
    const seen = new Set<string>()
    for (const { identity } of [...this.#parts.connections()].filter((one) => one.isOpen)) {
      const { tenant, tokenId } = identity
      if (tokenId === undefined || seen.has(recordKey(tenant, tokenId))) continue
      seen.add(recordKey(tenant, tokenId))
      try {
        if (await this.#isRevoked(tenant, tokenId)) this.#end(tenant, tokenId)
      } catch (error) {
        // It is away again; it will be back again.
        return this.#parts.onError(error)
      }
    }
  }
}

function recordKey(tenant: string, tokenId: string): string {
  return `revoked:${tenant.length}:${tenant}${tokenId}`
}
