import {
  CLOSE,
  type CloseReason,
  type CommandOf,
  type DecodedCommand,
  type Position,
  isChannelName,
} from '@holdfast/protocol'
import type { Authentication, AuthenticationFailure } from '../../access/authenticator.js'
import type { Identity } from '../../access/identity.js'
import { pause } from '../../clock.js'
import { errorFields } from '../../telemetry/log.js'
import type { Upgrade } from '../../transport/transport.js'
import type { Connection } from './connection.js'
import { encodeError, encodeWithRaw } from './encode.js'
import { HoldfastError, asHoldfastError } from '../errors.js'
import type { Services } from '../services.js'
import type { ClaimedSession } from '../sessions/session.js'
import type { SessionChannel, SessionKey } from '../sessions/session-record.js'
import { type SubscribeRequest, UNKNOWN_OPERATION } from '../channels/subscriptions.js'

type Hello = CommandOf<'hello'>

const CLOSE_FOR: Readonly<Record<AuthenticationFailure, CloseReason>> = {
  missing: CLOSE.authenticationRequired,
  invalid: CLOSE.invalidToken,
  expired: CLOSE.tokenExpired,
  revoked: CLOSE.tokenRevoked,
  forbidden: CLOSE.notAllowed,
  unavailable: CLOSE.serverBusy,
}

const OPERATION_PATH = '/operations/'

/** How long the answer to a bad credential takes once there were too many from its address. */
const GUESS_MS = 1_000

/** A place may be that of a node that has died, for as long as its lease: a client that finds none comes back after so long, and up to twice as long. */
const PLACE_MS = 15_000

/** From the first byte of a connection to its welcome: credential, session, place, channels. */
export class Handshake {
  readonly #services: Services
  readonly #connection: Connection
  readonly #upgrade: Upgrade
  #begun = false

  constructor(services: Services, connection: Connection, upgrade: Upgrade) {
    this.#services = services
    this.#connection = connection
    this.#upgrade = upgrade
  }

  /** Whether no `hello` was taken yet. What a client sends behind one waits for the welcome, under the usual limits. */
  get awaitsHello(): boolean {
    return !this.#begun
  }

  /** A client that speaks the protocol sends `hello`; one that came with a credential and does not is welcomed at once. */
  begin(): void {
    if (!this.#services.origins.admits(this.#upgrade)) return this.#connection.close(CLOSE.originNotAllowed)
    if (!this.#upgrade.speaksProtocol && this.#credential(undefined) !== undefined) void this.#run({ type: 'hello' })
  }

  /** Takes a command before the welcome: `hello` and `ping`, nothing else. */
  handle({ command }: DecodedCommand): Promise<void> | undefined {
    if (command.type === 'ping') {
      this.#connection.send(JSON.stringify({ type: 'pong', id: command.id, at: command.at }))
      return undefined
    }
    if (command.type === 'hello' && !this.#begun) return this.#run(command)
    this.#connection.close(CLOSE.badRequest)
    return undefined
  }

  async #run(hello: Hello): Promise<void> {
    this.#begun = true
    this.#connection.holdCommands()
    try {
      const waitMs = await this.#services.safeguards.handshake(this.#connection.address)
      if (waitMs > 0) this.#connection.close(CLOSE.rateLimit, { reconnect: 'backoff', after: waitMs })
      if (this.#connection.state !== 'handshaking') return
      const result = await this.#authenticate(hello.token)
      if ('identity' in result) await this.#welcome(result.identity, hello)
      else await this.#refuse(result.failure, result.detail)
    } catch (error) {
      this.#services.log.error({ event: 'handshake.failed', ...errorFields(error) }, 'a handshake failed')
      this.#connection.close(CLOSE.internalError)
    }
    this.#connection.releaseCommands()
  }

  #authenticate(token: string | undefined): Authentication | Promise<Authentication> {
    // An address ends up in logs that are not ours: a key that stood in one is not a secret any more.
    if (this.#upgrade.query.get('token')?.startsWith('hf_'))
      return { failure: 'invalid', detail: 'an API key in the address' }
    const credential = this.#credential(token)
    const { authenticator, decideArrival } = this.#services
    const result =
      credential === undefined
        ? (authenticator.anonymous?.() ?? { failure: 'missing', detail: 'no credential' })
        : authenticator.authenticate(credential)
    return result instanceof Promise
      ? result.then((known) => decideArrival(known, this.#connection))
      : decideArrival(result, this.#connection)
  }

  #credential(token: string | undefined): string | undefined {
    const { authorization, protocolToken, query } = this.#upgrade
    // Whatever stands there is the credential: one that is broken must not make its owner somebody without any.
    const header = authorization === undefined ? undefined : /^Bearer(?: +(.*))?$/i.exec(authorization)
    const bearer = header ? (header[1] ?? '') : undefined
    return (
      token ?? bearer ?? protocolToken ?? (this.#services.queryToken ? (query.get('token') ?? undefined) : undefined)
    )
  }

  async #refuse(failure: AuthenticationFailure, detail: string): Promise<void> {
    const { id: connection, address } = this.#connection
    const { safeguards, audit, clock } = this.#services
    // Expired tokens are no guesses: after a night, everybody behind an address may come with one.
    const waitMs = failure === 'invalid' ? await safeguards.failedAuthentication(connection, address) : 0
    if (waitMs === 0) {
      audit.record('auth.failed', { connection, address, rule: failure, reason: detail })
      return this.#connection.close(CLOSE_FOR[failure])
    }
    await pause(clock, GUESS_MS)
    this.#connection.close(CLOSE.rateLimit, { reconnect: 'backoff', after: waitMs })
  }

  async #welcome(identity: Identity, hello: Hello): Promise<void> {
    const { sessions, admission, origins } = this.#services
    // Whoever is gone must not take a session from the connection that holds it.
    if (this.#connection.state !== 'handshaking') return
    if (!admission.isOpen) return this.#connection.close(CLOSE.serviceRestart, { reconnect: 'backoff' })
    if (!origins.admitsFor(identity.tenant, this.#upgrade)) return this.#connection.close(CLOSE.originNotAllowed)
    // Before a place is asked for: a session that lives here gives its place up.
    const claimed = await this.#claim(identity, hello)
    const moved = claimed?.bringsPlace === true ? claimed : undefined
    const hasPlace = await admission.takePlace({ identity, address: this.#connection.address }, moved)
    // Withdrawn while the rest was asked for: who is not welcomed yet was not found among those who live here.
    if (this.#services.revocations.isWithdrawn(identity)) this.#connection.close(CLOSE.tokenRevoked)
    if (!hasPlace || this.#connection.state !== 'handshaking')
      return this.#turnBack(identity, hello, { claimed, hasPlace })
    const channels = this.#channels(identity, claimed)
    const { key = sessions.issue(), version = 0 } = claimed ?? {}
    const { state, grants } = claimed?.content ?? {}
    const isResumable = !identity.isMadeUp && !this.#upgrade.isReader
    this.#connection.admit({ identity, session: key, isResumable, state, recordVersion: version, channels, grants })
    this.#services.lifecycle.listener?.welcomed(this.#connection, claimed !== undefined)
    this.#services.audit.record('connection.accepted', {
      ...this.#connection.who,
      origin: this.#upgrade.origin,
      action: claimed === undefined ? 'connected' : 'resumed',
    })
    this.#connection.endsWith = this.#operation()
    this.#connection.send(this.#welcomeText(hello, claimed, channels))
    this.#services.degradation.greet(this.#connection)
    for (const channel of this.#addressed()) {
      if (!isChannelName(channel)) this.#giveUp(channel, new HoldfastError('invalid_channel'))
    }
    await this.#connection.admitted.confirmGrants()
    await this.#subscribe(identity, channels, hello.resume?.positions ?? {})
  }

  /** The session that the client asks for; a name that was made up has none. */
  #claim(identity: Identity, { resume }: Hello): Promise<ClaimedSession | undefined> | undefined {
    if (resume === undefined || identity.isMadeUp) return undefined
    const { id, address } = this.#connection
    return this.#services.sessions.claim({ id, address, identity }, keyOf(resume))
  }

  /** No welcome after all: what was taken for it goes back, so that the client can come again. */
  async #turnBack(
    identity: Identity,
    { resume }: Hello,
    { claimed, hasPlace }: { claimed: ClaimedSession | undefined; hasPlace: boolean },
  ): Promise<void> {
    const { admission, sessions } = this.#services
    if (hasPlace) admission.leavePlace({ identity, address: this.#connection.address })
    if (resume && claimed) await sessions.giveBack(identity, keyOf(resume), claimed)
    if (!hasPlace) this.#noPlace(identity)
  }

  #noPlace(identity: Identity): void {
    const { admission, random, safeguards } = this.#services
    const { id: connection, address } = this.#connection
    const { tenant, user } = identity
    safeguards.refusals.note('places', { tenant, user, connection, address })
    const after = Math.round(PLACE_MS * (1 + random.fraction()))
    const isCertain = admission.isFullHere({ identity, address })
    this.#connection.close(CLOSE.connectionLimit, isCertain ? {} : { reconnect: 'backoff', after })
  }

  /** Those of the session, the user's inboxes, and the one that the address names. */
  #channels(identity: Identity, claimed: ClaimedSession | undefined): SessionChannel[] {
    const channels = new Map<string, SessionChannel>()
    for (const channel of claimed?.content.channels ?? []) channels.set(channel.channel, channel)
    const addressed = this.#addressed().filter((channel) => isChannelName(channel))
    const inboxes = this.#upgrade.isReader ? [] : this.#services.inboxes.channelsOf(identity)
    for (const channel of [...inboxes, ...addressed]) {
      if (!channels.has(channel)) channels.set(channel, { channel, presence: false })
    }
    return [...channels.values()]
  }

  /** The channels that the address asks for, be they names of channels or not. */
  #addressed(): string[] {
    return [this.#upgrade.query.get('channel'), this.#operation()].filter((channel) => typeof channel === 'string')
  }

  /** The channel of the operation that the address names. */
  #operation(): string | undefined {
    const { path } = this.#upgrade
    return path.startsWith(OPERATION_PATH) ? `operation:${path.slice(OPERATION_PATH.length)}` : undefined
  }

  #welcomeText(hello: Hello, claimed: ClaimedSession | undefined, channels: readonly SessionChannel[]): string {
    const { limits, node } = this.#services
    const { identity, session, isResumable, id: connection } = this.#connection
    const { messageBytesMax, channelsMax, commandsInFlightMax, outboxBytesMax, heartbeat } = limits
    const welcome = {
      type: 'welcome',
      id: hello.id,
      connection,
      session: { ...session, resumed: claimed !== undefined, window: isResumable ? limits.sessionWindowMs : 0 },
      tenant: identity.tenant,
      user: identity.user,
      roles: identity.roles,
      node,
      heartbeat: { interval: heartbeat.intervalMs, timeout: heartbeat.timeoutMs },
      limits: { messageBytesMax, channelsMax, commandsInFlightMax, outboxBytesMax },
      expiresAt: identity.expiresAt === undefined ? undefined : new Date(identity.expiresAt).toISOString(),
      channels: channels.map(({ channel }) => channel),
    }
    const state = claimed?.content.state
    return encodeWithRaw(welcome, 'state', state === undefined ? undefined : { json: state })
  }

  /** A few at a time: what they recover has to fit the queue. */
  async #subscribe(identity: Identity, channels: SessionChannel[], positions: Record<string, Position>): Promise<void> {
    const atOnce = this.#services.limits.commandsInFlightMax
    for (let first = 0; first < channels.length; first += atOnce) {
      const some = channels.slice(first, first + atOnce)
      await Promise.all(some.map((channel) => this.#start(identity, channel, positions)))
    }
  }

  async #start(identity: Identity, channel: SessionChannel, positions: Record<string, Position>): Promise<void> {
    try {
      const since = this.#since(identity, channel.channel, positions)
      const request: SubscribeRequest = { ...channel, since }
      if (this.#connection.isOpen) await this.#connection.subscriptions.start(request)
    } catch (error) {
      this.#giveUp(channel.channel, asHoldfastError(error))
    }
  }

  /** Where the client says it is; an inbox starts at the user's cursor, whatever this device has read. */
  #since(identity: Identity, channel: string, positions: Record<string, Position>): Position | undefined {
    const isInbox = this.#services.rules.ruleOf(channel, identity)?.inbox ?? false
    return !isInbox && Object.hasOwn(positions, channel) ? positions[channel] : undefined
  }

  #giveUp(channel: string, error: HoldfastError): void {
    if (!this.#connection.isOpen) return
    if (channel === this.#connection.endsWith) {
      // An id that cannot be one is as unknown as any other.
      this.#connection.send(
        encodeError(isChannelName(channel) ? error : new HoldfastError('not_found', UNKNOWN_OPERATION)),
      )
      return this.#connection.close(CLOSE.notAllowed)
    }
    const { code, message } = error
    const told = isChannelName(channel)
      ? JSON.stringify({ type: 'unsubscribed', channel, code, message })
      : encodeError(error)
    this.#connection.send(told)
  }
}

function keyOf({ session, secret }: NonNullable<Hello['resume']>): SessionKey {
  return { id: session, secret }
}
