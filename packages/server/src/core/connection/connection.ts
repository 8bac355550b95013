import { CLOSE, type CloseReason, type Decoded, type GapRange, decodeFrame, isRefusal } from '@holdfast/protocol'
import type { Identity } from '../../access/identity.js'
import type { AuditFields } from '../../telemetry/audit.js'
import type { Socket, SocketHandler, Upgrade } from '../../transport/transport.js'
import { Admitted, type Welcomed } from './admitted.js'
import { type CommandConsumer, CommandQueue } from './command-queue.js'
import { carryOut } from './commands.js'
import { type Farewell, encodeExpiryNotice, encodeGap, encodeGoodbye, encodeRefusal } from './encode.js'
import type { Frame } from './frame.js'
import { Handshake } from './handshake.js'
import type { Pulse } from './heartbeat.js'
import type { ConnectionEnd } from '../lifecycle.js'
import type { Newcomer } from '../limits/newcomers.js'
import { Outbox, type OutboxOwner } from './outbox.js'
import type { Services } from '../services.js'
import type { Restored } from '../sessions/restoration.js'
import type { SessionChannel, SessionContent, SessionKey } from '../sessions/session-record.js'
import { type SubscriptionOwner, Subscriptions } from '../channels/subscriptions.js'
import { Throttle, type ThrottleOwner } from '../limits/throttle.js'

/** `handshaking`: nobody yet; `open`: welcomed; `closing`: told goodbye; `closed`: the socket is gone. */
export type ConnectionState = 'handshaking' | 'open' | 'closing' | 'closed'

const TRANSITIONS: Readonly<Record<ConnectionState, readonly ConnectionState[]>> = {
  handshaking: ['open', 'closing', 'closed'],
  open: ['closing', 'closed'],
  closing: ['closed'],
  closed: [],
}

/** Ends of clients that do not keep to the protocol. */
const VIOLATIONS: ReadonlySet<CloseReason> = new Set([
  CLOSE.unsupportedData,
  CLOSE.messageTooBig,
  CLOSE.badRequest,
  CLOSE.tooManyErrors,
])

/** The code of a socket that ended without a word. */
const CONNECTION_LOST = 1006

/** Shared: a list for each connection would cost more than what it says. */
const NONE: readonly SessionChannel[] = []

/** Whoever was closed because it does not stop may come back after so long, and up to twice as long: not all at once. */
const SHUT_OUT_MS = 5_000

/** One WebSocket: wires the handshake, the commands, the subscriptions, the queue out and the heartbeat, and knows what state it is in. */
export class Connection
  implements SocketHandler, Pulse, OutboxOwner, SubscriptionOwner, Restored, CommandConsumer, ThrottleOwner, Newcomer
{
  readonly id: string
  /** Of the client, after trusted proxies. */
  readonly address: string
  readonly services: Services
  readonly outbox: Outbox
  readonly subscriptions: Subscriptions
  lastSeenAt = 0
  nextPingAt = 0
  recordVersion = 0
  /** Ends with `Operation completed` when this channel does. */
  endsWith: string | undefined
  readonly #socket: Socket
  readonly #commands: CommandQueue
  readonly #throttle: Throttle
  readonly #openedAt: number
  #handshake: Handshake | undefined
  #state: ConnectionState = 'handshaking'
  #admitted: Admitted | undefined
  #sessionState: string | undefined
  /** Channels that the welcome promised and whose turn has not come. */
  #promised: readonly SessionChannel[] = NONE
  #handedOver = false
  /** What comes from a client that was closed because it does not stop is not read any more. */
  #isDeaf = false
  #errors = 0
  readonly #onClosed: (connection: Connection) => void

  constructor(services: Services, socket: Socket, upgrade: Upgrade, onClosed: (connection: Connection) => void) {
    this.services = services
    this.id = services.random.id(9)
    this.address = upgrade.address
    this.#socket = socket
    this.#onClosed = onClosed
    this.#openedAt = services.clock.now()
    this.outbox = new Outbox(services.flusher, services.budget, socket, this, services.limits.outboxBytesMax)
    this.subscriptions = new Subscriptions(services, this)
    this.#commands = new CommandQueue(this, services.limits.commandsInFlightMax)
    this.#throttle = new Throttle(services.safeguards.connection, this)
    this.#handshake = new Handshake(services, this, upgrade)
    services.admission.arrived()
    services.safeguards.newcomers.arrived(this)
    services.heartbeat.add(this)
    this.#handshake.begin()
  }

  /** When its socket was accepted, in milliseconds since 1970. */
  get openedAt(): number {
    return this.#openedAt
  }

  get state(): ConnectionState {
    return this.#state
  }

  get identity(): Identity {
    return this.admitted.identity
  }

  get session(): SessionKey {
    return this.admitted.session
  }

  /** What it has since its welcome. */
  get admitted(): Admitted {
    if (this.#admitted === undefined) throw new Error('a connection has no identity before its welcome')
    return this.#admitted
  }

  get isResumable(): boolean {
    return this.#admitted?.isResumable ?? false
  }

  /** Whether the connection was welcomed and not told goodbye since. */
  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Whether it has not said hello. */
  get isSilent(): boolean {
    return this.#handshake?.awaitsHello ?? false
  }

  // From the socket

  text(frame: string, bytes: number): void {
    this.lastSeenAt = this.services.clock.now()
    if (this.isOver) return
    if (this.#handshake?.awaitsHello && bytes > this.services.limits.handshakeBytesMax)
      return this.close(CLOSE.messageTooBig)
    const waitMs = this.#throttle.frameWait(bytes)
    if (waitMs > 0) return this.#throttle.refuseFrame(waitMs, decodeFrame(frame, this.services.limits))
    if (frame === 'ping') return this.#answerPing()
    this.#commands.push(decodeFrame(frame, this.services.limits))
  }

  /** No command, so nothing holds it back: a client that pings and does not read must not fill the queue. */
  #answerPing(): void {
    if (this.#throttle.admitsCommand('ping', undefined) && this.outbox.hasRoom) this.send('pong')
  }

  binary(): void {
    this.close(CLOSE.unsupportedData)
  }

  tooBig(): void {
    this.close(CLOSE.messageTooBig)
  }

  violated(rule: string): void {
    this.services.audit.record('protocol.violation', { ...this.who, rule })
  }

  alive(): void {
    this.lastSeenAt = this.services.clock.now()
  }

  controlFrame(): boolean {
    return this.#throttle.admitsControlFrame()
  }

  drained(): void {
    this.outbox.drained()
  }

  closed(code: number, clean: boolean): void {
    this.#release(clean, { code, reason: code === CONNECTION_LOST ? 'Connection lost' : 'Closed by client' })
    this.#enter('closed')
  }

  // From the handshake

  /** Nothing after `hello` is begun until the handshake has ended. */
  holdCommands(): void {
    this.#commands.hold()
  }

  /** The client is who it says: from now on its commands are carried out. */
  admit(welcomed: Welcomed): void {
    this.#enter('open')
    this.#admitted = new Admitted(this.services, this, welcomed)
    this.#sessionState = welcomed.state
    this.#promised = welcomed.channels
    this.recordVersion = welcomed.recordVersion
    this.#handshake = undefined
    this.services.safeguards.newcomers.departed(this)
    this.#admitted.restore(welcomed.grants)
    this.services.revocations.settle(this)
    this.#admitted.begin()
  }

  /** The welcome was sent and what it promised is done. */
  releaseCommands(): void {
    this.#promised = NONE
    this.#commands.release()
  }

  /** The identity of a refreshed token: the same tenant and user with other rights or another lifetime. One whose turn is over changes nothing. */
  async changeIdentity(identity: Identity, turn: number): Promise<void> {
    if (!this.admitted.refresh(identity, turn)) return
    this.services.revocations.settle(this)
    await this.subscriptions.recheck()
  }

  /** The identity with what a channel token grants it on this channel. */
  identityFor(channel: string): Identity {
    return this.admitted.identityFor(channel)
  }

  /** @throws HoldfastError when the token is not for this connection and channel. */
  async takeChannelToken(channel: string, token: string): Promise<void> {
    await this.admitted.takeChannelToken(channel, token)
    this.channelsChanged()
    // It may allow less than the one whose place it takes.
    void this.subscriptions.recheckChannel(channel)
  }

  /** The identity expires then, unless it does before. */
  endBy(at: number): void {
    this.#admitted?.endBy(at)
  }

  // Commands

  handle(decoded: Decoded): Promise<void> | undefined {
    if (this.isOver) return undefined
    if (!this.#throttle.admits(decoded)) return undefined
    if (isRefusal(decoded)) {
      this.send(encodeRefusal(decoded.error, decoded.message, decoded.id))
      return decoded.malformed ? this.#countError(decoded.error) : undefined
    }
    if (this.#handshake !== undefined) return this.#handshake.handle(decoded)
    return carryOut(this, decoded)
  }

  room(): Promise<void> | undefined {
    return this.outbox.room()
  }

  pauseReading(): void {
    this.#socket.pause()
  }

  resumeReading(): void {
    if (!this.#isDeaf) this.#socket.resume()
  }

  #countError(error: string): undefined {
    this.violated(error)
    this.#errors += 1
    if (this.#errors >= this.services.limits.errorsMax) this.close(CLOSE.tooManyErrors)
  }

  // Out

  /** Sends a text that is never dropped. */
  send(text: string): void {
    this.outbox.push({ bytes: this.services.frames.text(text), importance: 'kept' })
  }

  encodeGap(channel: string, range: GapRange): Frame {
    return { bytes: this.services.frames.text(encodeGap(channel, range)), importance: 'kept' }
  }

  tooSlow(): void {
    this.services.log.warn(
      { event: 'connection.slow', connection: this.id, bytes: this.outbox.bytes },
      'a reader is too slow',
    )
    this.close(CLOSE.tooSlow)
  }

  streamEnded(channel: string): void {
    if (this.endsWith === channel) this.close(CLOSE.operationCompleted)
  }

  /** Whether nothing of it is under way. */
  get isIdle(): boolean {
    return this.isOpen && this.#commands.isIdle && this.outbox.queuedBytes === 0
  }

  // Heartbeat

  ping(): void {
    const { clock, frames } = this.services
    this.#throttle.rest()
    const told = frames.text(JSON.stringify({ type: 'ping', at: new Date(clock.now()).toISOString() }))
    this.outbox.push({ bytes: Buffer.concat([frames.ping(), told]), importance: 'drop-oldest' })
  }

  timedOut(): void {
    // While we do not read, the silence is ours, unless we wait for the peer to take its answers.
    if (this.#commands.isPaused && this.outbox.hasRoom) this.lastSeenAt = this.services.clock.now()
    else this.close(CLOSE.heartbeatTimeout)
  }

  checkDeadlines(now: number): void {
    if (this.#handshake !== undefined) return
    this.outbox.checkAge(now, this.services.limits.outboxAgeMaxMs)
    for (const channel of this.#admitted?.expireGrants(now) ?? []) void this.subscriptions.recheckChannel(channel)
    const step = this.#admitted?.expiryStep(now)
    if (step === 'close') this.close(CLOSE.tokenExpired)
    else if (step === 'notice') this.send(encodeExpiryNotice(this.identity.expiresAt))
  }

  // The end

  get isOver(): boolean {
    return this.#state === 'closing' || this.#state === 'closed'
  }

  get who(): AuditFields {
    const { tenant, user } = this.#admitted?.identity ?? {}
    return { tenant, user, connection: this.id, address: this.address }
  }

  shutOut(): void {
    const after = Math.round(SHUT_OUT_MS * (1 + this.services.random.fraction()))
    this.close(CLOSE.rateLimit, { reconnect: 'backoff', after })
    this.#isDeaf = true
    this.#socket.pause()
  }

  /**
   * A client that has not said hello for so long will not answer a close either. Nothing was refused: after one that was, clients ask for another token, and after two give up; where they are many
   * and all late, each has to come again, and not at once.
   */
  giveUp(): void {
    const { code, reason } = CLOSE.authenticationRequired
    if (this.#end(CLOSE.authenticationRequired, { reconnect: 'backoff' })) this.#socket.hangUp(code, reason)
  }

  /** Says goodbye and closes. Doing so again does nothing. */
  close(reason: CloseReason, farewell: Farewell = {}): void {
    if (this.#end(reason, farewell)) this.#socket.close(reason.code, reason.reason)
  }

  #end(reason: CloseReason, farewell: Farewell): boolean {
    if (this.isOver) return false
    if (VIOLATIONS.has(reason)) this.violated(reason.reason)
    const clean = reason.code === 1000 || reason.code === 1008
    this.#release(clean, reason)
    this.#enter('closing')
    this.outbox.end({ bytes: this.services.frames.text(encodeGoodbye(reason, farewell)), importance: 'kept' })
    return true
  }

  /** Tells the client to move to another node at its slot; until then everything goes on. */
  inviteToLeave(afterMs: number): void {
    if (this.#state !== 'open') return
    this.send(encodeGoodbye(CLOSE.serviceRestart, { reconnect: 'now', after: afterMs }))
    this.#admitted?.leavePlace()
  }

  // Its session

  /** Replaces the session's state, JSON text. */
  setState(state: string): void {
    this.#sessionState = state
    this.#admitted?.changed()
  }

  channelsChanged(): void {
    this.#admitted?.changed()
  }

  content(): SessionContent {
    const promised = this.#promised.filter(({ channel }) => !this.subscriptions.has(channel))
    const channels = [...this.subscriptions.content(), ...promised]
    return { channels, state: this.#sessionState, grants: this.#admitted?.grants }
  }

  handOver(): SessionContent {
    const content = this.content()
    this.#handedOver = true
    this.close(CLOSE.resumedElsewhere)
    return content
  }

  presences(): ReturnType<Restored['presences']> {
    return this.subscriptions.presences()
  }

  /** Lets go of everything that the connection holds, once. */
  #release(clean: boolean, end: ConnectionEnd): void {
    if (this.isOver) return
    this.services.heartbeat.remove(this)
    this.services.admission.departed()
    this.services.safeguards.newcomers.departed(this)
    this.#commands.clear()
    // A session that was handed over lives, and stays present, in its new connection.
    const content = this.#handedOver || this.#admitted === undefined ? undefined : this.content()
    this.subscriptions.stopAll(clean && !this.#handedOver)
    this.#admitted?.end(content)
    if (this.#admitted === undefined) return
    this.services.lifecycle.listener?.ended(this, end)
    this.services.audit.record('connection.closed', { ...this.who, rule: String(end.code), reason: end.reason })
  }

  #enter(next: ConnectionState): void {
    if (this.#state === next) return
    if (!TRANSITIONS[this.#state].includes(next))
      throw new Error(`a connection cannot go from ${this.#state} to ${next}`)
    this.#state = next
    if (next !== 'closed') return
    this.outbox.close()
    this.#onClosed(this)
  }
}
