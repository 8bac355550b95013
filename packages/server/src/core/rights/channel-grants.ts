import type { Identity } from '../../access/identity.js'
import { HoldfastError } from '../errors.js'
import type { Services } from '../services.js'
import type { ChannelGrant } from '../sessions/session-record.js'
import type { Withdrawable } from './withdrawal.js'

/** What a channel token says, or why it is refused; the reason is for the log, never for the client. */
export type OpenedChannelToken = { readonly grant: ChannelGrant } | { readonly refusal: string }

/** What the core needs of channel tokens. */
export interface ChannelTokenDoor {
  /** Opens a token that is for this user, this tenant and this channel, as they are. */
  open(token: string, identity: Pick<Identity, 'tenant' | 'user'>, channel: string): OpenedChannelToken
}

/** A connection as its grants see it. */
export interface GrantHolder {
  readonly id: string
  readonly address: string
  readonly identity: Identity
}

/** The longest life of a channel token. */
export const CHANNEL_GRANT_MS_MAX = 3_600_000

const REFUSED = 'token must be a channel token for this channel, of this user, and not expired'

/** What channel tokens allow one connection, beside what its identity does. Each replaces the one before it for the same channel. */
export class ChannelGrants {
  readonly #services: Pick<Services, 'audit' | 'channelTokens' | 'clock' | 'limits' | 'revocations'>
  readonly #holder: GrantHolder
  readonly #grants = new Map<string, ChannelGrant>()
  /** Made once for each grant and identity: whoever judges keeps what it read of an identity. */
  readonly #joined = new Map<string, { readonly own: Identity; readonly joined: Identity }>()

  constructor(services: Services, holder: GrantHolder) {
    this.#services = services
    this.#holder = holder
  }

  /** @throws HoldfastError `permission_denied` for a token that is not for this connection and channel, `limit_exceeded` when there are too many. */
  async take(channel: string, token: string): Promise<void> {
    const { channelTokens, revocations } = this.#services
    const { tenant, user } = this.#holder.identity
    const opened = channelTokens.open(token, { tenant, user }, channel)
    if ('refusal' in opened) return this.#refuse(channel, opened.refusal)
    if (await revocations.covers(this.#credential(opened.grant))) return this.#refuse(channel, 'revoked')
    this.#hold(opened.grant)
  }

  /** Takes over what a session kept; what has expired since is left out, and what is more than fits: another node may have had room for more. */
  restore(grants: readonly ChannelGrant[]): void {
    const { clock, limits } = this.#services
    const inForce = grants.filter((grant) => this.#isInForce(grant, clock.now()))
    for (const grant of inForce.slice(0, limits.channelsMax)) this.#hold(grant)
  }

  /** Forgets what was withdrawn while no node held it. Does not reject. */
  async confirm(): Promise<void> {
    // A withdrawal means whatever was issued before some moment: behind the first that it does not mean there is none.
    for (const grant of this.content().toSorted((one, other) => one.issuedAt - other.issuedAt)) {
      if (!(await this.#services.revocations.covers(this.#credential(grant)))) return
      this.#drop(grant.channel)
    }
  }

  /** The identity as it counts for a channel. */
  identityFor(channel: string): Identity {
    const { identity } = this.#holder
    const grant = this.#grants.get(channel)
    if (grant === undefined || !this.#isInForce(grant, this.#services.clock.now())) return identity
    const known = this.#joined.get(channel)
    if (known?.own === identity) return known.joined
    const joined = withGrant(identity, grant)
    this.#joined.set(channel, { own: identity, joined })
    return joined
  }

  /** Forgets what has expired, or was withdrawn; answers of which channels. */
  expire(now: number): readonly string[] {
    const expired = [...this.#grants.values()].filter((grant) => !this.#isInForce(grant, now))
    for (const { channel } of expired) this.#drop(channel)
    return expired.map(({ channel }) => channel)
  }

  /** What a session keeps of them. */
  content(): readonly ChannelGrant[] {
    return [...this.#grants.values()]
  }

  /** A clock that was put back makes no grant live longer than any may. */
  #isInForce(grant: ChannelGrant, now: number): boolean {
    const leftMs = grant.expiresAt - now
    return (
      leftMs > 0 && leftMs <= CHANNEL_GRANT_MS_MAX && !this.#services.revocations.isWithdrawn(this.#credential(grant))
    )
  }

  /** A grant as withdrawals judge it: a token of the user, without an id. */
  #credential({ issuedAt }: ChannelGrant): Withdrawable {
    const { tenant, user } = this.#holder.identity
    return { tenant, user, tokenId: undefined, issuedAt }
  }

  #hold(grant: ChannelGrant): void {
    const { channelsMax } = this.#services.limits
    if (this.#grants.size >= channelsMax && !this.#grants.has(grant.channel))
      throw new HoldfastError('limit_exceeded', `a connection must have tokens for at most ${channelsMax} channels`)
    this.#drop(grant.channel)
    this.#grants.set(grant.channel, grant)
  }

  #drop(channel: string): void {
    this.#grants.delete(channel)
    this.#joined.delete(channel)
  }

  #refuse(channel: string, reason: string): never {
    const { id: connection, address, identity } = this.#holder
    const { tenant, user } = identity
    const fields = { tenant, user, connection, address, channel, rule: 'channel-token', reason }
    this.#services.audit.record('authz.denied', fields)
    throw new HoldfastError('permission_denied', REFUSED)
  }
}

function withGrant(identity: Identity, { channel, verbs }: ChannelGrant): Identity {
  const own = Object.hasOwn(identity.grants, channel) ? (identity.grants[channel] ?? []) : []
  return { ...identity, grants: { ...identity.grants, [channel]: [...own, ...verbs] } }
}
