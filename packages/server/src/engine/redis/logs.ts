import { createHash } from 'node:crypto'
import type { Random } from '../../random.js'
import type {
  LogPage,
  LogTop,
  PublishOutcome,
  PublishRequest,
  ReadRange,
  Retention,
  Signal,
  Stream,
  StreamState,
} from '../engine.js'
import { EngineUnavailableError } from '../unavailable.js'
import { encodeBody, encodeMessage, encodeSignal } from './announcement.js'
import type { Keys, StreamKeys } from './keys.js'
import { decodePage } from './log-page.js'
import { BEGIN, READ, ROTATE, TOP } from './scripts/log.js'
import { asList, asNumber, asText } from './reply.js'
import { PUBLISH } from './scripts/publish.js'
import type { AcknowledgedTops, Reply, ShardCommands } from './shard.js'

/** How long the answer to a key is remembered. */
const IDEMPOTENCY_MS = 5 * 60_000

/** Bytes of an epoch and of a message id. */
const ID_BYTES = 8

/** How often a log is begun that somebody else ends at once. */
const BEGIN_TRIES = 3

/** Logs that are asked about together: what else waits for Redis waits no longer than for these. */
const TOPS_AT_ONCE = 500

/** What the logs work with. */
export interface LogsParts {
  readonly commands: ShardCommands
  readonly keys: Keys
  readonly random: Random
  readonly tops: AcknowledgedTops
  /** Told of entries that somebody else has written, each time they are met. */
  foreign(stream: Stream, offsets: readonly number[]): void
}

/** The logs of all streams, each in the shard that holds it. */
export class Logs {
  readonly #commands: ShardCommands
  readonly #keys: Keys
  readonly #random: Random
  readonly #tops: AcknowledgedTops
  readonly #foreign: (stream: Stream, offsets: readonly number[]) => void

  constructor(parts: LogsParts) {
    this.#commands = parts.commands
    this.#keys = parts.keys
    this.#random = parts.random
    this.#tops = parts.tops
    this.#foreign = parts.foreign
  }

  publish(request: PublishRequest): Promise<PublishOutcome> {
    const keys = this.#keys.stream(request.stream)
    const id = request.id ?? this.#random.id(ID_BYTES)
    const isBare = request.retention === undefined && request.idempotency === undefined && request.state === undefined
    return isBare ? this.#pass(keys, request, id) : this.#store(keys, request, id)
  }

  async announce(stream: Stream, signal: Signal): Promise<void> {
    const { live } = this.#keys.stream(stream)
    await this.#commands.of(live).send(['SPUBLISH', live, encodeSignal(signal)])
  }

  async read(stream: Stream, retention: Retention, range: ReadRange): Promise<LogPage> {
    const { page, foreign } = await this.#page(stream, retention, range)
    if (foreign.length > 0) this.#foreign(stream, foreign)
    // A page of nothing but what is not ours would look like the end of the log.
    const goesOn = foreign.length > 0 && page.messages.length === 0 && page.first <= page.top.offset
    if (!goesOn || range.keep === 'newest' || range.limit === 0) return page
    const rest = await this.read(stream, retention, { ...range, from: page.first })
    return { ...rest, first: Math.max(rest.first, page.first), expired: false }
  }

  async #page(stream: Stream, retention: Retention, range: ReadRange): Promise<ReturnType<typeof decodePage>> {
    const keys = this.#keys.stream(stream)
    const args = [
      String(range.from ?? 0),
      String(range.before ?? Number.MAX_SAFE_INTEGER),
      String(range.limit),
      String(Math.min(range.bytesMax, Number.MAX_SAFE_INTEGER)),
      range.keep,
    ]
    const reply = await this.#begun(keys, retention, () =>
      this.#commands
        .of(keys.top)
        .run(READ, [keys.top, keys.log, keys.state], [this.#tops.generation(keys.top), ...args]),
    )
    return decodePage(reply, range.keep)
  }

  async tops(logs: readonly { readonly stream: Stream; readonly retention: Retention }[]): Promise<readonly LogTop[]> {
    const tops: LogTop[] = []
    for (let at = 0; at < logs.length; at += TOPS_AT_ONCE) {
      const portion = logs.slice(at, at + TOPS_AT_ONCE)
      tops.push(...(await Promise.all(portion.map(({ stream, retention }) => this.#top(stream, retention)))))
    }
    return tops
  }

  async state(stream: Stream): Promise<StreamState | undefined> {
    const { state } = this.#keys.stream(stream)
    const [version, value] = asList(await this.#commands.of(state).send(['HMGET', state, 'v', 'd']))
    return typeof value === 'string' ? { value, version: asNumber(version) } : undefined
  }

  async rotate(stream: Stream, epoch: string): Promise<string> {
    const { name, top, log, live } = this.#keys.stream(stream)
    const next = this.#random.id(ID_BYTES)
    const args = [this.#tops.generation(top), epoch, next]
    const [inForce] = asList(await this.#commands.of(top).run(ROTATE, [top, log, live], args))
    if (inForce === next) this.#tops.rotated(name, next)
    return asText(inForce)
  }

  async #top(stream: Stream, retention: Retention): Promise<LogTop> {
    const keys = this.#keys.stream(stream)
    const [epoch, offset, id] = await this.#begun(keys, retention, () =>
      this.#commands.of(keys.top).run(TOP, [keys.top], [this.#tops.generation(keys.top), String(retention.ttlMs)]),
    )
    return { epoch: asText(epoch), top: { offset: asNumber(offset), id: asText(id) } }
  }

  /** What is neither stored nor remembered needs no script. */
  async #pass(keys: StreamKeys, request: PublishRequest, id: string): Promise<PublishOutcome> {
    const payload = encodeMessage('', 0, encodeBody({ ...request, id }))
    await this.#commands.of(keys.live).send(['SPUBLISH', keys.live, payload])
    return { kind: 'published', epoch: '', offset: 0, id, duplicate: false }
  }

  async #store(keys: StreamKeys, request: PublishRequest, id: string): Promise<PublishOutcome> {
    const { retention, idempotency, state, settled } = request
    const record = idempotency && this.#keys.idempotency(keys, idempotency.scope, idempotency.key)
    const reply = await this.#commands
      .of(keys.top)
      .run(
        PUBLISH,
        [keys.top, keys.log, keys.state, keys.live, record ?? keys.top],
        [
          encodeBody({ ...request, id }),
          id,
          this.#random.id(ID_BYTES),
          this.#tops.generation(keys.top),
          String(retention?.size ?? 0),
          String(retention?.ttlMs ?? 0),
          idempotency === undefined ? '' : fingerprint(request),
          String(IDEMPOTENCY_MS),
          state === undefined ? '' : String(state.ifVersion),
          state?.value ?? '',
          String(state?.ttlMs ?? 0),
          request.weigh ? '1' : '',
          settled?.epoch ?? '',
          String(settled?.offset ?? 0),
        ],
      )
    return this.#outcome(keys, asList(reply))
  }

  #outcome(keys: StreamKeys, [kind, first, second, third, began, weight = '']: readonly Reply[]): PublishOutcome {
    if (kind === 'idempotency_conflict' || kind === 'state_conflict') return { kind }
    if (kind === 'duplicate') {
      const [epoch = '', offset, id = ''] = asText(first).split(' ')
      return { kind: 'published', epoch, offset: Number(offset), id, duplicate: true }
    }
    const [epoch, offset, id] = [asText(first), asNumber(second), asText(third)]
    if (began !== '') this.#tops.rotated(keys.name, epoch)
    if (offset > 0) this.#tops.acknowledged(keys.name, { epoch, offset, id })
    const kept = weight === '' ? {} : { kept: asNumber(weight) }
    return { kind: 'published', epoch, offset, id, duplicate: false, ...kept }
  }

  /** The answer of `look`, which finds no log where there is none of this generation: then one is begun. */
  async #begun(keys: StreamKeys, retention: Retention, look: () => Promise<Reply>): Promise<readonly Reply[]> {
    for (let tries = 0; ; tries += 1) {
      const reply = await look()
      if (reply !== null) return asList(reply)
      if (tries === BEGIN_TRIES) throw new EngineUnavailableError('the log ends as often as it is begun')
      const args = [this.#tops.generation(keys.top), this.#random.id(ID_BYTES), String(retention.ttlMs)]
      await this.#commands.of(keys.top).run(BEGIN, [keys.top, keys.log, keys.live], args)
    }
  }
}

/** A digest rather than the data: what remembers keys must not keep the messages. */
function fingerprint(request: PublishRequest): string {
  return createHash('sha256').update(`${request.event}\n${request.data}`).digest('base64url')
}
