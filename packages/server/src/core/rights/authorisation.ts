import type { ChannelRule, Verb } from '../../access/channel-rules.js'
import type { Identity } from '../../access/identity.js'
import type { Audit, AuditFields } from '../../telemetry/audit.js'
import { HoldfastError } from '../errors.js'
import type { Rules } from '../services.js'

/** Who asks: a connection that was welcomed. */
export interface Asker {
  readonly id: string
  /** Of the client. */
  readonly address: string
  /** Whether the connection was welcomed and not told goodbye since. */
  readonly isOpen: boolean
  /** The identity in force, as it counts for a channel. */
  identityFor(channel: string): Identity
}

/** What is asked for. */
export interface Wish {
  readonly verb: Verb
  readonly channel: string
  /** The event of a message or signal. */
  readonly event?: string
}

/** Data as it came: what it says, and its text. */
export interface SentData {
  readonly value: unknown
  readonly json: string
}

interface Judged {
  readonly rule: ChannelRule | undefined
  readonly allowed: boolean | Promise<boolean>
}

/** What an authorisation works with. */
export interface AuthorisationParts {
  readonly rules: Rules
  readonly audit: Audit
}

/** Asks the rules on behalf of connections, and writes down what they refuse. */
export class Authorisation {
  readonly #parts: AuthorisationParts
  /** The last decision that is waited for, by connection and channel: what a client publishes on one goes out in its order. */
  readonly #turns = new WeakMap<Asker, Map<string, Promise<void>>>()
  #denied = 0
  #foreign = 0

  constructor(parts: AuthorisationParts) {
    this.#parts = parts
  }

  /** How often something was refused since the node began. */
  stats(): { readonly refusedByRule: number; readonly refusedByIdentityGuard: number } {
    return { refusedByRule: this.#denied, refusedByIdentityGuard: this.#foreign }
  }

  /**
   * The rule of the channel, if the identity in force may; a promise only where the answer lies elsewhere.
   *
   * @throws HoldfastError `permission_denied`, the same for what the identity may not and for what no rule names.
   */
  require(asker: Asker, wish: Wish): ChannelRule | Promise<ChannelRule> {
    // A command may have waited for something else, a rate for instance.
    if (!asker.isOpen) throw new HoldfastError('permission_denied')
    const { rule, allowed } = this.#judge(asker, wish)
    if (rule === undefined || allowed === false) throw this.#deny(asker, wish, rule)
    if (allowed === true && !this.#turns.has(asker)) return rule
    return this.#decide(asker, wish, { rule, allowed })
  }

  /** Whether the identity in force may still do what it was allowed once. */
  mayStill(asker: Asker, wish: Wish): boolean | Promise<boolean> {
    return this.#judge(asker, wish).allowed
  }

  /** Writes down that what was allowed is over. */
  ended(asker: Asker, wish: Wish): void {
    this.#parts.audit.record('authz.ended', this.#about(asker, wish, this.#ruleOf(asker, wish.channel)))
  }

  /** Writes down that something of this channel was refused for another reason than its rule. */
  denied(asker: Asker, channel: string, action: string): void {
    this.#denied += 1
    const { tenant, user } = asker.identityFor(channel)
    const { id: connection, address } = asker
    this.#parts.audit.record('authz.denied', { tenant, user, connection, address, channel, action, rule: '-' })
  }

  /** @throws HoldfastError `permission_denied` naming the field, when the rule declares fields of identity and one of them names another than the sender. */
  checkSender(asker: Asker, wish: Wish, rule: ChannelRule, { value, json }: SentData): void {
    if (rule.identity === undefined) return
    const reason = this.#parts.rules.findForeign(rule, {
      data: value,
      json,
      user: asker.identityFor(wish.channel).user,
    })
    if (reason === undefined) return
    this.#foreign += 1
    this.#parts.audit.record('guard.identity', { ...this.#about(asker, wish, rule), reason })
    throw new HoldfastError('permission_denied', reason)
  }

  #judge(asker: Asker, { verb, channel, event }: Wish): Judged {
    const { rules } = this.#parts
    const identity = asker.identityFor(channel)
    const connection = asker.id
    const rule = rules.ruleOf(channel, identity)
    return { rule, allowed: rule !== undefined && rules.judge(rule, { identity, verb, channel, connection, event }) }
  }

  async #decide(asker: Asker, wish: Wish, first: Judged): Promise<ChannelRule> {
    const turn = wish.event === undefined ? undefined : this.#takeTurn(asker, wish.channel)
    try {
      let identity = asker.identityFor(wish.channel)
      for (let judged = first; ; judged = this.#judge(asker, wish)) {
        const allowed = await judged.allowed
        await turn?.before
        // Whoever is gone, or was sent away meanwhile, does nothing any more.
        if (!asker.isOpen) throw new HoldfastError('permission_denied')
        // A token that was refreshed meanwhile may allow less.
        const inForce = asker.identityFor(wish.channel)
        if (inForce !== identity) identity = inForce
        else if (!allowed || judged.rule === undefined) throw this.#deny(asker, wish, judged.rule)
        else return judged.rule
      }
    } finally {
      turn?.end()
    }
  }

  #takeTurn(asker: Asker, channel: string): { readonly before: Promise<void> | undefined; end(): void } {
    const turns = this.#turns.get(asker) ?? new Map<string, Promise<void>>()
    this.#turns.set(asker, turns)
    const before = turns.get(channel)
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => (end = resolve))
    // One that fails ends before its turn has come, and must not pass on what it does not have.
    const mine = before?.then(() => ended) ?? ended
    turns.set(channel, mine)
    return {
      before,
      end: () => {
        end()
        void mine.then(() => {
          if (turns.get(channel) === mine) turns.delete(channel)
          if (turns.size === 0) this.#turns.delete(asker)
        })
      },
    }
  }

  #deny(asker: Asker, wish: Wish, rule: ChannelRule | undefined): HoldfastError {
    this.#denied += 1
    this.#parts.audit.record('authz.denied', this.#about(asker, wish, rule))
    return new HoldfastError('permission_denied', `${wish.verb} is not allowed on this channel`)
  }

  #about(asker: Asker, { verb: action, channel }: Wish, rule: ChannelRule | undefined): AuditFields {
    const { tenant, user } = asker.identityFor(channel)
    const { id: connection, address } = asker
    return { tenant, user, connection, address, channel, action, rule: rule?.pattern.source ?? '-' }
  }

  #ruleOf(asker: Asker, channel: string): ChannelRule | undefined {
    return this.#parts.rules.ruleOf(channel, asker.identityFor(channel))
  }
}
