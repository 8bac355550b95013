import type { Identity } from '../../access/identity.js'
import type { Services } from '../services.js'
import type { SessionHolder } from '../sessions/session-keeper.js'
import type { SessionContent, SessionKey } from '../sessions/session-record.js'

/** How long before its token expires a client is told: so long, and no sooner than when half of its life is over. */
const EXPIRY_NOTICE_MS = 30_000

/** What a token's lifetime asks for now. */
export type ExpiryStep = 'none' | 'notice' | 'close'

/** What a connection has from its welcome to its end: an identity with a lifetime, a session, and one of the user's places. */
export class Admitted {
  readonly session: SessionKey
  readonly isResumable: boolean
  readonly #services: Services
  readonly #holder: SessionHolder
  #identity: Identity
  #placeLeft = false
  #noticed = false
  #noticeMs: number
  /** When its lifetime was looked at last, and by how much clocks were put back since it began: that does not make a token live longer. */
  #lookedAt: number
  #putBackMs = 0

  constructor(
    services: Services,
    holder: SessionHolder,
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

  /** A refreshed token: other rights, another lifetime. */
  refresh(identity: Identity): void {
    this.#identity = identity
    this.#noticeMs = this.#noticeFor(identity)
    this.#noticed = false
    this.#putBackMs = 0
  }

  /** The identity expires then, unless it does before. */
  endBy(at: number): void {
    const { expiresAt = Infinity } = this.#identity
    if (at < expiresAt) this.refresh({ ...this.#identity, expiresAt: at })
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
