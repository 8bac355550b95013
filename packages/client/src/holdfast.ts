// The imports stand in the order in which the bundle compresses best.
import { type Notice, type WhoWeAre, whoWeAre } from './identity.js'
import { type Statistics, Tally } from './statistics.js'
import { encode } from './encode.js'
import type { Channel, EventMap } from './channel.js'
import { abortable } from './abort.js'
import { type TokenOption, type TokenSource, tokenSource } from './token.js'
import type { Status, StatusChange } from './status.js'
import { type HoldfastOptions, type Settings, settingsFrom } from './options.js'
import { Emitter, type Report } from './emitter.js'
import { Inbox, type InboxEvents, type InboxOptions } from './inbox.js'
import { Connection } from './connection.js'
import { Requests } from './requests.js'
import type { ServerMessage, ServerMessageOf } from '@holdfast/protocol'
import { Operation } from './operation.js'
import type { Link, Welcome } from './link.js'
import { Channels } from './channels.js'
import { HoldfastError, asHoldfastError, errorFromAnswer, unlessLost } from './errors.js'
import type { Wire } from './wire.js'
import { Session } from './session.js'

/** What a client tells. */
export interface HoldfastEvents {
  /** The state changed. */
  state: StatusChange
  /** The server says something about itself, or about the token. */
  notice: Notice
  /** Something went wrong that no promise tells: a handler threw, a signal was refused. Without a listener it goes to the console. */
  error: HoldfastError
}

/** Options of a call. */
export interface CallOptions {
  /** Milliseconds to wait for the answer, on either side. Default `requestTimeoutMs`; at most 300,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** Options of a channel. */
export interface ChannelOptions {
  /** A channel token, or a function that fetches one: asked before each subscribe, for at most 10 s. */
  readonly token?: TokenOption
}

/** How often, and after how many milliseconds each time, a move to another node looks whether the old one has answered: for two seconds. */
const MOVE_LOOKS = 100
const MOVE_LOOK_MS = 20

/** A client: one connection to a Holdfast server, that comes back by itself, and everything that goes over it. */
export class Holdfast {
  readonly #settings: Settings
  readonly #report: Report = (thrown) => {
    const error = asHoldfastError(thrown, 'handler_failed', 'A handler failed')
    if (this.#emitter.has('error')) void this.#emitter.emit('error', error)
    else console.error(error)
  }
  readonly #emitter: Emitter<HoldfastEvents> = new Emitter(this.#report)
  readonly #tally = new Tally()
  readonly #token: TokenSource
  readonly #requests: Requests
  readonly #session: Session
  readonly #channels: Channels
  readonly #connection: Connection
  readonly #inbox: Inbox
  readonly #wire: Wire
  #welcome: Welcome | undefined
  #state: string | undefined

  /**
   * Connects to `url` (at once, unless `connect` is false).
   *
   * @throws HoldfastError `invalid_option` for an address or an option that makes no sense.
   */
  constructor(url: string, options: HoldfastOptions = {}) {
    this.#settings = settingsFrom(url, options)
    const { clock, connect } = this.#settings
    this.#token = tokenSource(options.token, clock)
    this.#requests = new Requests(this.#tally, this.#settings)
    this.#session = new Session(this.#settings)
    this.#connection = this.#connect()
    this.#wire = {
      settings: this.#settings,
      requests: this.#requests,
      tally: this.#tally,
      report: this.#report,
      link: () => this.#connection.link,
      welcome: () => this.#welcome,
    }
    this.#channels = new Channels(this.#wire)
    this.#inbox = new Inbox(this.#wire)
    if (connect) this.#connection.connect()
  }

  /** The state of the connection. */
  get status(): Status {
    return this.#connection.status
  }

  /** Who the server says we are, and our session; undefined before the first welcome. */
  get identity(): WhoWeAre | undefined {
    return this.#welcome && whoWeAre(this.#welcome)
  }

  /** Attempts, successes, latency and more, since the client was made. */
  get statistics(): Statistics {
    return this.#tally.read(this.#requests.line)
  }

  /** Listens to what the client tells; returns the undo. */
  on<E extends keyof HoldfastEvents>(event: E, listener: (value: HoldfastEvents[E]) => unknown): () => void {
    return this.#emitter.on(event, listener)
  }

  /** Connects, where `connect: false` or `disconnect()` kept it from doing so. An attempt that waits is made now. */
  connect(): void {
    this.#requests.refusal = undefined
    this.#connection.connect()
  }

  /** Closes with 1000 and never comes back by itself. What waits or is in flight is rejected with `disconnected`. */
  disconnect(): void {
    this.#connection.disconnect()
  }

  /** Resolves when the connection is open; rejects when it is closed or has failed. */
  ready(options: { signal?: AbortSignal } = {}): Promise<void> {
    return abortable(options.signal, (resolve, reject) => {
      const look = (): void => {
        const { refusal } = this.#requests
        if (this.status === 'open') resolve()
        else if (refusal) reject(refusal)
        else return
        off()
      }
      const off = this.on('state', look)
      look()
      return off
    })
  }

  /**
   * The channel of this name; the same object as long as you hold it, listen to it or are subscribed. Nothing is sent before somebody listens or publishes.
   * A `token`, once given, stays until another is.
   */
  channel<M extends EventMap = Record<string, unknown>>(name: string, { token }: ChannelOptions = {}): Channel<M> {
    const { facade, subscription, used } = this.#channels.open(name)
    if (token) {
      subscription.token = tokenSource(token, this.#settings.clock)
      used()
    }
    return facade as unknown as Channel<M>
  }

  /** The messages for this user; the same object every time. `autoAck`, once asked for, stays. */
  inbox<M extends EventMap = InboxEvents>({ autoAck = false }: InboxOptions = {}): Inbox<M> {
    this.#inbox.autoAck ||= autoAck
    return this.#inbox as unknown as Inbox<M>
  }

  /** Watches an operation; the same object as long as somebody watches it. `R` is the type of its result. */
  operation<R = unknown>(id: string): Operation<R> {
    return (this.#channels.operation(id) ?? new Operation(id, this.#channels)) as Operation<R>
  }

  /** Calls a method that the application registered on the server. Not sent again after a disconnect: rejects with `disconnected`. */
  async call<R = unknown>(method: string, data?: unknown, { timeoutMs, signal }: CallOptions = {}): Promise<R> {
    const timeout = Math.min(timeoutMs ?? this.#settings.requestTimeoutMs, 300_000)
    const head = { type: 'call', method, timeout }
    const text = data === undefined ? data : encode(data)
    const ok = await this.#requests.request(head, { timeoutMs, signal, data: text })
    return ok.data as R
  }

  /** Replaces the session's state (at most 16 KiB). Kept by the server for a resume, and set again where a session begins anew. Without a connection it waits, as a publish does; another user does not get it. */
  async state(data: unknown): Promise<void> {
    this.#state = encode(data)
    await this.#sendState()
  }

  async #sendState(): Promise<void> {
    await this.#requests.request({ type: 'state' }, { data: this.#state, resend: true })
  }

  #connect(): Connection {
    const hello = (token: string | undefined): string => this.#session.hello(token, this.#channels.positions())
    const parts = { ...this.#settings, token: this.#token, hello }
    return new Connection(this.#settings, parts, this.#tally, {
      changed: (change) => void this.#emitter.emit('state', change),
      welcomed: (link, welcome) => this.#welcomed(link, welcome),
      received: (link, message) => this.#received(link, message),
      lost: (link, resend) => this.#lost(link, resend),
      closed: (error) => this.#closed(error),
      mayRetire: (old, successor) => !this.#requests.busy(old) && this.#channels.settledOn(successor),
      prepareMove: (go) => this.#prepareMove(go),
      stayed: () => this.#requests.release(),
    })
  }

  #welcomed(link: Link, welcome: Welcome): void {
    const { tenant, user } = this.#welcome ?? welcome
    if ((tenant !== welcome.tenant || user !== welcome.user) && !user.startsWith('anonymous-')) this.#disown()
    this.#welcome = welcome
    this.#tally.degraded = false
    this.#session.welcomed(welcome)
    const inbox = this.#channels.findInbox(welcome)
    if (inbox) this.#inbox.bind(this.#channels.open(inbox))
    this.#channels.welcomed(link, welcome, this.#session.named)
    if (this.#state !== undefined && !welcome.session.resumed) void this.#sendState().catch(this.#report)
    this.#requests.attach(link, welcome.limits)
  }

  /** Somebody else has signed in, in whose name nothing goes out that the one before asked for. Who is anonymous is somebody else with each connection. */
  #disown(): void {
    this.#state = undefined
    // What was asked for since the client was closed is for whoever comes.
    if (this.#session.key) this.#requests.refuse(new HoldfastError('disconnected', 'Another user signed in'))
    this.#requests.refusal = undefined
  }

  #received(link: Link, message: ServerMessage): void {
    const { type } = message
    if (type === 'notice') return this.#noticed(message, link)
    if (this.#requests.answer(message, link)) return
    if ('channel' in message) this.#channels.receive(message, link)
    else if (type === 'error' && message.id === undefined) this.#report(errorFromAnswer(message))
  }

  #noticed({ code, message, details }: ServerMessageOf<'notice'>, link: Link): void {
    if (link !== this.#connection.link) return
    if (code === 'degraded') this.#tally.degraded = true
    if (code === 'recovered') {
      this.#tally.degraded = false
      this.#channels.retry()
    }
    if (code === 'token_expiring') void this.#refresh().catch(this.#report)
    void this.#emitter.emit('notice', { code, message, details })
  }

  async #refresh(): Promise<void> {
    const token = await this.#token()
    if (token === undefined) return
    await this.#requests.request({ type: 'refresh', token }).catch(unlessLost)
  }

  #lost(link: Link, resend: boolean): void {
    this.#requests.lost(link, resend)
    this.#channels.lost(link)
  }

  #closed(error: HoldfastError): void {
    this.#session.key = undefined
    this.#requests.refuse(error)
    this.#channels.close(error)
  }

  /** Answers that are still to come over the old link are waited for, because what may not be sent twice would fail with it. */
  #prepareMove(go: () => void): void {
    const link = this.#connection.link
    let looks = MOVE_LOOKS
    this.#requests.hold()
    const look = (): void => {
      if (link && looks > 0 && this.#requests.busy(link)) this.#settings.clock.after(MOVE_LOOK_MS, look)
      else go()
      looks -= 1
    }
    look()
  }
}
