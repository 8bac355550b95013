import type { Identity } from '../../access/identity.js'
import type { Services } from '../services.js'
import type { SessionHolder } from '../sessions/session-keeper.js'
import { ChannelGrants, type GrantHolder } from '../rights/channel-grants.js'
import type { ChannelGrant, SessionChannel, SessionContent, SessionKey } from '../sessions/session-record.js'

/** How long before its token expires a client is told: so long, and no sooner than when half of its life is over. */
const EXPIRY_NOTICE_MS = 30_000

/** What a token's lifetime asks for now. */
export type ExpiryStep = 'none' | 'notice' | 'close'

/** Who a connection is once it was welcomed. */
export interface Welcomed {
  readonly identity: Identity
  readonly session: SessionKey
  /** Whether anybody can come again for the session. */
  readonly isResumable: boolean
  readonly state: string | undefined
  /** The version under which the session's record is this node's; 0: it has none. */
  readonly recordVersion: number
  /** The channels that it is about to be subscribed to. */
  readonly channels: readonly SessionChannel[]
  /** What channel tokens granted its session. */
  readonly grants: readonly ChannelGrant[] | undefined
}

/** What a connection has from its welcome to its end: an identity with a lifetime and with what channel tokens add to it, a session, and one of the user's places. */
export class Admitted {
  readonly session: SessionKey
  readonly isResumable: boolean
  readonly #services: Services
  readonly #holder: SessionHolder & GrantHolder
  #identity: Identity
  /** Made for the first channel token. */
  #grants: ChannelGrants | undefined
  #refreshesAsked = 0
  #refreshed = 0
  #placeLeft = false
  #noticed = false
  #noticeMs: number
  /** When its lifetime was looked at last, and by how much clocks were put back since it began: that does not make a token live longer. */
  #lookedAt: number
  #putBackMs = 0

  constructor(
    services: Services,
    holder: SessionHolder & GrantHolder,
    { identity, session, isResumable }: Pick<Admitted, 'identity' | 'session' | 'isResumable'>,
  ) {
    this.#services = services
    this.#holder = holder
    this.#identity = identity
    this.#noticeMs = this.#noticeFor(identity)
    this.#lookedAt = services.clock.now()
    this.session = session
    this.isResumable = isResumable
  }

  get identity(): Identity {
    return this.#identity
  }

  /** The session begins to live here. */
  begin(): void {
    this.#services.sessions.hold(this.#holder)
  }

  /** What the session holds has changed. */
  changed(): void {
    this.#services.sessions.changed(this.#holder)
  }

  /** A turn for a refreshed token: verifying one may take longer than the next one does. */
  askRefresh(): number {
    return (this.#refreshesAsked += 1)
  }

  /** A refreshed token: other rights, another lifetime. False: its turn is over, and it changes nothing. */
  refresh(identity: Identity, turn: number): boolean {
    if (turn < this.#refreshed) return false
    this.#refreshed = turn
    this.#become(identity)
    return true
  }

  #become(identity: Identity): void {
    this.#identity = identity
    this.#noticeMs = this.#noticeFor(identity)
    this.#noticed = false
    this.#putBackMs = 0
  }

  /** The identity with what a channel token grants it on this channel. */
  identityFor(channel: string): Identity {
    return this.#grants?.identityFor(channel) ?? this.#identity
  }

  /** @throws HoldfastError when the token is not for this connection and channel. */
  async takeChannelToken(channel: string, token: string): Promise<void> {
    await this.#channelGrants().take(channel, token)
  }

  /** What channel tokens granted; undefined: none did. */
  get grants(): readonly ChannelGrant[] | undefined {
    return this.#grants?.content()
  }

  /** Takes over what channel tokens granted its session. */
  restore(grants: readonly ChannelGrant[] | undefined): void {
    if (grants) this.#channelGrants().restore(grants)
  }

  /** Resolves when what its session brought of channel tokens that were withdrawn meanwhile is forgotten. */
  confirmGrants(): Promise<void> | undefined {
    return this.#grants?.confirm()
  }

  /** Forgets the grants that have expired; answers of which channels. */
  expireGrants(now: number): readonly string[] {
    return this.#grants?.expire(now) ?? []
  }

  #channelGrants(): ChannelGrants {
    return (this.#grants ??= new ChannelGrants(this.#services, this.#holder))
  }

  /** The identity expires then, unless it does before. */
  endBy(at: number): void {
    const { expiresAt = Infinity } = this.#identity
    if (at < expiresAt) this.#become({ ...this.#identity, expiresAt: at })
  }

  /** What is to be done about the token's lifetime; the notice is asked for once. */
  expiryStep(time: number): ExpiryStep {
    const { expiresAt } = this.#identity
    if (expiresAt === undefined) return 'none'
    this.#putBackMs += Math.max(0, this.#lookedAt - time)
    this.#lookedAt = time
    const now = time + this.#putBackMs
    if (now >= expiresAt) return 'close'
    if (this.#noticed || now < expiresAt - this.#noticeMs) return 'none'
    this.#noticed = true
    return 'notice'
  }

  #noticeFor({ expiresAt }: Identity): number {
    return expiresAt === undefined ? 0 : Math.min(EXPIRY_NOTICE_MS, (expiresAt - this.#services.clock.now()) / 2)
  }

  /** Gives the place back, once: a client that is asked to move needs it elsewhere before it leaves here. */
  leavePlace(): void {
    if (this.#placeLeft) return
    this.#placeLeft = true
    this.#services.admission.leavePlace(this.#holder)
  }

  /** The connection ends: the place goes, and the session is kept for its window, unless another connection took it over. */
  end(content: SessionContent | undefined): void {
    this.#services.sessions.end(this.#holder, content)
    this.leavePlace()
  }
}
