import type { ServerMessage } from '@holdfast/protocol'
import { Backoff } from './backoff.js'
import { reactionTo } from './ending.js'
import { HoldfastError } from './errors.js'
import { type Ending, type Goodbye, type Hold, Link, type LinkEvents, type LinkParts, type Welcome } from './link.js'
import type { Settings } from './options.js'
import type { Tally } from './statistics.js'
import { type Status, type StatusChange, type StatusInput, transition } from './status.js'

/** What a connection tells. Between `welcomed` and `lost` the link can be used. */
export interface ConnectionEvents {
  changed(change: StatusChange): void
  welcomed(link: Link, welcome: Welcome): void
  received(link: Link, message: ServerMessage): void
  /** `resend` is false when something that was sent may have been the cause. */
  lost(link: Link, resend: boolean): void
  /** It ended for good, until `connect`. */
  closed(error: HoldfastError): void
  /** A link with a successor: whether it may go. */
  mayRetire(old: Link, successor: Link): boolean
  /** A successor is about to say `hello`: nothing more goes out over the old link, and `go` follows when its answers are in. */
  prepareMove(go: () => void): void
  /** The successor did not come; the old link goes on. */
  stayed(): void
}

/** Milliseconds after which an old link is closed, whatever is still expected of it. */
const RETIRE_MS = 5000

const SERVICE_RESTART = 1012

/** Keeps one link to the server, whatever happens to it: attempts, back-off, hand-over, heartbeat. */
export class Connection implements LinkEvents {
  readonly #settings: Settings
  readonly #linkParts: LinkParts
  readonly #tally: Tally
  readonly #events: ConnectionEvents
  readonly #backoff: Backoff
  #status: Status = 'idle'
  #link: Link | undefined
  #retiring: Link | undefined
  #failures = 0
  #refusals = 0
  #moving = false
  #waitIsOurs = false
  #attempted: Link | undefined
  #stopWait: () => void = () => {}
  #stopStable: () => void = () => {}
  #stopRetire: () => void = () => {}
  #stopWakes: () => void = () => {}

  constructor(settings: Settings, linkParts: LinkParts, tally: Tally, events: ConnectionEvents) {
    this.#settings = settings
    this.#linkParts = linkParts
    this.#tally = tally
    this.#events = events
    this.#backoff = new Backoff(settings.backoff, settings.random)
  }

  get status(): Status {
    return this.#status
  }

  /** The link, while the connection is open. */
  get link(): Link | undefined {
    return this.#link
  }

  /** Connects; an attempt that waits for its time is made now. Does nothing while connecting or open. */
  connect(): void {
    if (this.#status === 'connecting' || this.#status === 'open') return
    if (this.#status !== 'waiting') this.#begin()
    this.#attempt()
  }

  /** Closes with 1000, and stays away until `connect`. */
  disconnect(): void {
    if (this.#status === 'closed' || this.#status === 'failed') return
    this.#close('disconnect', { code: 1000, reason: 'Disconnected' })
  }

  #begin(): void {
    this.#failures = this.#refusals = 0
    this.#backoff.reset()
    this.#stopWakes = this.#settings.wakes(() => this.#wake())
  }

  #attempt(): void {
    this.#stopWait()
    // First, so that a listener that disconnects finds it.
    this.#dial()
    this.#move('connect', 'Connecting')
  }

  #dial(hold: Hold = (go) => go()): void {
    this.#tally.attempts += 1
    this.#attempted = new Link(this.#linkParts, this, hold)
  }

  /** An attempt has come to its welcome. */
  welcomed(link: Link, welcome: Welcome): void {
    const old = this.#link
    this.#count()
    this.#failures = this.#refusals = 0
    this.#moving = false
    this.#attempted = undefined
    this.#link = link
    this.#stopStable()
    this.#stopStable = this.#settings.clock.after(this.#settings.stableMs, () => this.#backoff.reset())
    this.#events.welcomed(link, welcome)
    if (old) this.#retire(old)
    this.#move('welcome', 'Connected')
  }

  /** A link was told something. */
  received(link: Link, message: ServerMessage): void {
    if (message.type === 'goodbye') return this.#bidden(link, message)
    if (message.type === 'pong' && typeof message.at === 'number')
      return this.#tally.answered(this.#settings.clock.now() - message.at)
    this.#events.received(link, message)
    this.#retireIfDone()
  }

  /** Any other goodbye is kept by the link, for the close that follows. */
  #bidden(link: Link, { code, after = 0, reconnect }: Goodbye): void {
    if (code !== SERVICE_RESTART || reconnect !== 'now' || link !== this.#link) return
    this.#stopWait()
    this.#stopWait = this.#settings.clock.after(after, () => this.#handOver())
  }

  /** Opens the new link while the old one still delivers. */
  #handOver(): void {
    if (this.#moving) return
    this.#moving = true
    this.#dial((go) => this.#events.prepareMove(go))
  }

  #count(): void {
    if (this.#status === 'open') this.#tally.handovers += 1
    else if (this.#tally.successes > 0) this.#tally.reconnects += 1
    this.#tally.successes += 1
  }

  #retire(old: Link): void {
    this.#dropRetiring()
    this.#retiring = old
    this.#stopRetire = this.#settings.clock.after(RETIRE_MS, () => this.#dropRetiring())
    this.#retireIfDone()
  }

  #retireIfDone(): void {
    const [old, successor] = [this.#retiring, this.#link]
    if (old && successor && this.#events.mayRetire(old, successor)) this.#dropRetiring()
  }

  #dropRetiring(): void {
    const old = this.#retiring
    this.#retiring = undefined
    this.#stopRetire()
    if (old) this.#drop(old)
  }

  #drop(link: Link): void {
    link.close()
    this.#events.lost(link, true)
  }

  /** An attempt came to nothing. */
  failed(ending: Ending): void {
    const isMove = this.#moving && this.#link
    this.#moving = false
    if (isMove) {
      this.#events.stayed()
      this.#stopWait = this.#settings.clock.after(this.#backoff.next(), () => this.#handOver())
      return
    }
    this.#failures += 1
    this.#retreat(ending)
  }

  /** A link is gone. */
  ended(link: Link, ending: Ending): void {
    if (link === this.#retiring) return this.#dropRetiring()
    if (link !== this.#link) return
    this.#link = undefined
    this.#stopStable()
    this.#events.lost(link, ending.code !== 1009)
    // A server may end the old link as soon as the new one resumes: what comes of that decides.
    if (!this.#moving) this.#retreat(ending)
  }

  #retreat(ending: Ending): void {
    this.#stopWait()
    this.#dropRetiring()
    const { maxAttempts } = this.#settings
    const { reconnect, afterMs } = reactionTo(ending, this.#settings.clock.now())
    if (reconnect === 'never' && ending.code === 1000) return this.#close('disconnect', ending)
    // Of attempts alone: a connection that ends had its welcome.
    if (reconnect === 'refresh' && this.#failures > 0) this.#refusals += 1
    const isHopeless = reconnect === 'never' || this.#refusals >= 2
    if (isHopeless || (maxAttempts > 0 && this.#failures >= maxAttempts)) return this.#close('refuse', ending)
    // A word that we do not know is answered with patience.
    const isSoon = reconnect === 'now' || reconnect === 'refresh'
    const ownMs = isSoon ? this.#backoff.soon() : this.#backoff.next()
    // A server that asks for haste again and again is not obeyed.
    this.#wait(ending, Math.max(afterMs ?? 0, ownMs), afterMs === undefined)
  }

  #wait({ reason, code }: Ending, retryInMs: number, isOurs: boolean): void {
    this.#waitIsOurs = isOurs
    this.#move('lost', reason, { code, retryInMs })
    // A listener may have decided otherwise.
    if (this.#status !== 'waiting') return
    this.#stopWait = this.#settings.clock.after(retryInMs, () => this.#attempt())
  }

  #close(input: 'disconnect' | 'refuse', { code, reason, error }: Ending): void {
    this.#attempted?.close()
    this.#stopWait()
    this.#stopWakes()
    this.#stopStable()
    this.#moving = false
    this.#dropRetiring()
    const link = this.#link
    this.#link = undefined
    if (link) this.#drop(link)
    this.#events.closed(error ?? new HoldfastError(input === 'refuse' ? 'refused' : 'disconnected', reason))
    this.#move(input, reason, { code })
  }

  /** The device is back: look at once, but not in step with everybody whose network returned at the same moment. */
  #wake(): void {
    this.#link?.probe()
    if (this.#status !== 'waiting' || !this.#waitIsOurs) return
    const { clock, random, backoff } = this.#settings
    this.#waitIsOurs = false
    this.#stopWait()
    this.#stopWait = clock.after(random.fraction() * backoff.minMs, () => this.#attempt())
  }

  #move(input: StatusInput, reason: string, more: Pick<StatusChange, 'code' | 'retryInMs'> = {}): void {
    const previous = this.#status
    this.#status = transition(previous, input)
    if (this.#status !== previous) this.#events.changed({ state: this.#status, previous, reason, ...more })
  }
}
