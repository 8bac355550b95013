import type { PublishOutcome, Retention } from '../../engine/engine.js'
import { type ChannelQuota } from './channel-quota.js'
import type { HistoryQuota } from './history-quota.js'
import { type Quota, type QuotaLimits, type QuotaRefusals, quotaError } from './quota.js'
import { RateMeter } from './rate-meter.js'
import type { SharedRate } from './shared-rate.js'

/** What is charged for. */
export interface Charge {
  /** Undefined: there is none. */
  readonly channel?: string
  readonly characters: number
  /** Undefined: nothing is stored of it. */
  readonly retention?: Retention | undefined
}

/** What the use of one tenant is measured with; undefined: that is not bounded. */
export interface TenantUseParts {
  readonly limits: QuotaLimits
  readonly messages: SharedRate | undefined
  readonly bytes: SharedRate | undefined
  readonly channels: ChannelQuota | undefined
  readonly history: HistoryQuota | undefined
  readonly refusals: QuotaRefusals
  now(): number
  refused(quota: Quota): void
}

/** How long the use of a tenant is remembered. */
const IDLE_MS = 60_000

/** What one part says: whether there is room, or how long to wait. */
type Verdict = number | boolean | undefined

type Verdicts = readonly Verdict[] | Promise<readonly Verdict[]>

/** What one tenant uses of its quotas, as this node sees it. */
export class TenantUse {
  readonly parts: TenantUseParts
  readonly #name: string
  readonly #messages = new RateMeter()
  readonly #bytes = new RateMeter()
  /** The charge before, while it was not answered: charges are answered in the order in which they came. */
  #before: Promise<unknown> | undefined
  #usedAt = 0

  constructor(tenant: string, parts: TenantUseParts) {
    this.#name = tenant
    this.parts = parts
  }

  /** A message was published: what its log keeps is noted. */
  published({ channel, characters, retention }: Charge, outcome: PublishOutcome): void {
    if (outcome.kind !== 'published' || outcome.kept === undefined || retention === undefined) return
    const { epoch, offset, kept } = outcome
    const weight = { epoch, offset, characters: kept, more: characters, keptMs: retention.ttlMs }
    if (channel !== undefined) this.parts.history?.weighed(channel, weight)
  }

  /** Whether publishes have to say what their log keeps. */
  get weighs(): boolean {
    return this.parts.history !== undefined
  }

  /** Whether it was not used for a while, nothing is under way, and nothing would be forgotten with it. */
  get isIdle(): boolean {
    if (this.parts.now() - this.#usedAt < IDLE_MS) return false
    const { messages, bytes, channels, history } = this.parts
    const held = [messages, bytes, channels, history].reduce((sum, part) => sum + (part?.size ?? 0), 0)
    return this.#before === undefined && held === 0
  }

  /**
   * Takes what a message costs. A promise only where that has to be asked for.
   *
   * @throws HoldfastError `rate_limited`, or `limit_exceeded` where waiting does not help; so does the promise reject.
   */
  charge(charge: Charge): Promise<void> | undefined {
    this.#usedAt = this.parts.now()
    const { characters } = charge
    const verdicts = this.#ask(charge)
    if (this.#before === undefined && !(verdicts instanceof Promise)) return void this.#judge(verdicts, characters)
    const answered = this.#settle(verdicts, characters, this.#before)
    const before = answered.catch(() => undefined)
    this.#before = before
    void before.then(() => {
      if (this.#before === before) this.#before = undefined
    })
    return answered
  }

  /** Somebody listens to a channel. @throws as `charge`. */
  listen(channel: string): Promise<void> | undefined {
    this.#usedAt = this.parts.now()
    const entered = this.parts.channels?.enter(channel, 0)
    if (entered instanceof Promise) return entered.then((isIn) => this.#judge([true, 0, 0, isIn], 0, 0))
    return entered === undefined ? undefined : void this.#judge([true, 0, 0, entered], 0, 0)
  }

  /** The error for one who wants more of this than there is. */
  refuse(quota: Quota, retryAfter?: number): ReturnType<typeof quotaError> {
    this.parts.refused(quota)
    this.parts.refusals.note(quota, this.parts.now())
    return quotaError(quota, this.parts.limits[quota] ?? 0, retryAfter)
  }

  /** What this node has published for the tenant in the last second. */
  lately(): { readonly messages: number; readonly bytes: number } {
    const now = this.parts.now()
    return { messages: this.#messages.perSecond(now), bytes: this.#bytes.perSecond(now) }
  }

  #ask({ channel, characters, retention }: Charge): Verdicts {
    const { messages, bytes, channels, history } = this.parts
    return askInTurn([
      () => retention && history?.hasRoom(),
      () => messages?.take(`messages:${this.#name}`),
      () => (characters === 0 ? undefined : bytes?.take(`bytes:${this.#name}`, characters)),
      () => (retention && channel !== undefined ? channels?.enter(channel, retention.ttlMs) : undefined),
    ])
  }

  async #settle(verdicts: Verdicts, characters: number, before: Promise<unknown> | undefined): Promise<void> {
    const settled = await verdicts
    await before
    this.#judge(settled, characters)
  }

  #judge([room, messages, bytes, entered]: readonly Verdict[], characters: number, count: number = 1): void {
    if (room === false) throw this.refuse('historyBytes')
    if (Number(messages ?? 0) > 0) throw this.refuse('messagesPerSecond', Number(messages))
    if (Number(bytes ?? 0) > 0) throw this.refuse('bytesPerSecond', Number(bytes))
    if (entered === false) throw this.refuse('channels')
    const now = this.parts.now()
    this.#messages.add(count, now)
    this.#bytes.add(characters, now)
  }
}

/** The verdicts, until one refuses: what is refused by one takes nothing of the next. */
function askInTurn(asks: readonly (() => Verdict | Promise<Verdict>)[], before: readonly Verdict[] = []): Verdicts {
  const verdicts = [...before]
  while (verdicts.length < asks.length && !isRefusal(verdicts.at(-1))) {
    const verdict = asks[verdicts.length]?.()
    if (verdict instanceof Promise) return verdict.then((answer) => askInTurn(asks, [...verdicts, answer]))
    verdicts.push(verdict)
  }
  return verdicts
}

function isRefusal(verdict: Verdict): boolean {
  return verdict === false || (typeof verdict === 'number' && verdict > 0)
}
