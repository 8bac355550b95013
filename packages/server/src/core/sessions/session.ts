import type { Identity } from '../../access/identity.js'
import { networkOf } from '../../network-address.js'
import type { Random } from '../../random.js'
import type { ControlDesk } from '../nodes/control.js'
import type { Peers } from '../nodes/peers.js'
import type { Claimant, SecretGuard } from './secret-guard.js'
import { type SessionHolder, SessionKeeper, type SessionKeeperParts, keyOf } from './session-keeper.js'
import {
  type HandedSession,
  type SessionContent,
  type SessionKey,
  type StoredSession,
  digestOf,
  provesBy,
  sessionRecordKey,
} from './session-record.js'

/** A session that was taken over. */
export interface ClaimedSession {
  /** Its new key. */
  readonly key: SessionKey
  readonly content: SessionContent
  /** The version under which its record is this node's; 0: it has none. */
  readonly version: number
  /** Whether it comes with the place that its connection has, or had until now, on another node. */
  readonly bringsPlace: boolean
  /** The network by which that place is counted; undefined: nobody knows. */
  readonly network?: string | undefined
}

/** What sessions work with. */
export interface SessionsParts extends SessionKeeperParts {
  readonly random: Random
  readonly control: Pick<ControlDesk, 'ask' | 'on'>
  readonly peers: Pick<Peers, 'live'>
  readonly secrets: Pick<SecretGuard, 'isBarred' | 'wrong'>
}

/** There is such a session, and this is not its secret: to be told from none at all here, and nowhere else. */
const WRONG_SECRET = 'wrong secret'

type Claim = ClaimedSession | typeof WRONG_SECRET | undefined

/** 128 bits each: an id names, a secret proves. */
const ID_BYTES = 16

/** How often a claim that met another write is tried again. */
const TRIES = 8

/** The sessions that live on this node, and the door to those of other nodes and those that have ended. */
export class Sessions {
  readonly #parts: SessionsParts
  readonly #live = new Map<string, SessionHolder>()
  readonly #keeper: SessionKeeper

  constructor(parts: SessionsParts) {
    this.#parts = parts
    this.#keeper = new SessionKeeper(parts, this.#live)
    parts.control.on('session.claim', ({ record, version }) => this.#giveAway(record, version))
  }

  /** Records that wait to be written, or are being written. */
  get unsaved(): number {
    return this.#keeper.unsaved
  }

  /** Keeps the records of live sessions up to date from now on. */
  start(): void {
    this.#keeper.start()
  }

  /** Resolves when what has ended is saved, or was refused. */
  stop(): Promise<void> {
    return this.#keeper.stop()
  }

  /** A key for a new session, or with a new secret for one that is resumed under `id`. */
  issue(id: string = this.#parts.random.id(ID_BYTES)): SessionKey {
    return { id, secret: this.#parts.random.id(ID_BYTES) }
  }

  /** A session begins to live here. One that nobody can come for is only that of its connection. */
  hold(holder: SessionHolder): void {
    if (!holder.isResumable) return
    this.#live.set(keyOf(holder), holder)
    this.#keeper.begin(holder)
  }

  /** What a live session holds has changed; its record follows within a second. */
  changed(holder: SessionHolder): void {
    this.#keeper.changed(holder)
  }

  /** A session lives here no more: with `content` it is kept for its window, without it has been handed over. */
  end(holder: SessionHolder, content: SessionContent | undefined): void {
    if (!holder.isResumable) return
    const key = keyOf(holder)
    if (this.#live.get(key) === holder) this.#live.delete(key)
    this.#keeper.end(holder, content)
  }

  /** Whether a live session still belongs to this node, as of now. Rejects when the engine refuses. */
  async confirm(holder: SessionHolder): Promise<boolean> {
    return !holder.isResumable || this.#keeper.confirm(holder)
  }

  /**
   * Takes a session over, live on any node or saved, for whoever has its secret; of several claimants one gets it. Undefined when there is none under this
   * identity or the secret is wrong (the two look the same), and when nobody can say because the engine is away.
   */
  async claim(claimant: Claimant, key: SessionKey): Promise<ClaimedSession | undefined> {
    const { secrets } = this.#parts
    const record = sessionRecordKey(claimant.identity, key.id)
    if (secrets.isBarred(record, claimant)) return undefined
    const claimed = await this.#claim(record, key, networkOf(claimant.address))
    if (claimed !== WRONG_SECRET) return claimed
    secrets.wrong(record, claimant)
    return undefined
  }

  async #claim(record: string, key: SessionKey, network: string): Promise<Claim> {
    if (this.#parts.engine.problem() !== undefined) return this.#claimHere(record, key)
    try {
      return await this.#claimRecord(record, key, network)
    } catch (error) {
      this.#parts.onError(error)
      return this.#claimHere(record, key)
    }
  }

  /** No welcome after all: the session can be had again under its old key. Resolves when that was tried. */
  async giveBack(identity: Identity, { id, secret }: SessionKey, claimed: ClaimedSession): Promise<void> {
    if (this.#parts.windowMs === 0) return
    const own = digestOf(claimed.key.secret)
    const stored = { ...claimed.content, digest: digestOf(secret), node: '' }
    const isOwn = (held: StoredSession): boolean => held.digest === own
    await this.#keeper.keep(sessionRecordKey(identity, id), stored, claimed.version, isOwn)
  }

  async #claimRecord(record: string, key: SessionKey, network: string): Promise<Claim> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const holder = this.#live.get(record)
      if (holder !== undefined) await this.#keeper.settled(holder)
      else await this.#keeper.ended(record)
      const held = this.#parts.windowMs > 0 ? await this.#keeper.records.read(record) : undefined
      if (held?.stored === undefined) return this.#claimHere(record, key)
      if (!this.#isProven(record, held.stored, key.secret)) return WRONG_SECRET
      const next = this.issue(key.id)
      const owned = { ...held.stored, digest: digestOf(next.secret), node: this.#parts.node, network }
      const version = await this.#keeper.records.write(record, owned, this.#keeper.liveMs, held.version)
      if (version !== undefined) {
        const { network: counted } = held.stored
        return { key: next, version, network: counted, ...(await this.#fetch(record, held.stored, version)) }
      }
    }
    return undefined
  }

  /** Where a session lives on this node its own secret counts: the record may be behind. */
  #isProven(record: string, stored: StoredSession, secret: string): boolean {
    const here = stored.node === this.#parts.node ? this.#live.get(record) : undefined
    return here === undefined ? provesBy(stored.digest, secret) : hasSecret(here, secret)
  }

  /** What a session holds: from where it lives, else from its record. */
  async #fetch(
    record: string,
    { channels, state, grants, node }: StoredSession,
    version: number,
  ): Promise<Pick<ClaimedSession, 'content' | 'bringsPlace'>> {
    const kept = { channels, state, grants }
    const here = this.#live.get(record)?.handOver()
    // What was here though another node owned it is older than the record.
    // This node may have lived before: then the place is still counted for its former life.
    if (node === this.#parts.node) {
      const left = here === undefined ? this.#keeper.unsavedOf(record, version) : undefined
      return { content: here ?? left ?? kept, bringsPlace: here === undefined && left === undefined }
    }
    if (node === '') return { content: kept, bringsPlace: false }
    const answer = await this.#askOwner(node, record, version)
    return { content: answer ?? kept, bringsPlace: answer !== null && answer?.isOver !== true }
  }

  /** Undefined when it says nothing. A node without a lease is not asked: who waits for the dead waits long. */
  async #askOwner(node: string, record: string, version: number): Promise<HandedSession | null | undefined> {
    const { peers, control } = this.#parts
    const live = await peers.live().catch(() => new Set<string>())
    return live.has(node) ? control.ask(node, 'session.claim', { record, version }) : undefined
  }

  /** Without a record: what lives on this node can be had, and nothing else. */
  #claimHere(record: string, key: SessionKey): Claim {
    const holder = this.#live.get(record)
    if (holder === undefined) return undefined
    if (!hasSecret(holder, key.secret)) return WRONG_SECRET
    const version = holder.recordVersion
    return { key: this.issue(key.id), content: holder.handOver(), version, bringsPlace: false }
  }

  /** Another node owns the record now and asks for what its session holds, or held until a moment ago. One that came back here since is newer than the question. */
  #giveAway(record: string, version: number): HandedSession | null {
    const holder = this.#live.get(record)
    if (holder === undefined) {
      const left = this.#keeper.unsavedOf(record, version)
      return left === undefined ? null : { ...left, isOver: true }
    }
    return holder.recordVersion >= version ? null : holder.handOver()
  }
}

function hasSecret(holder: SessionHolder, secret: string): boolean {
  return provesBy(digestOf(holder.session.secret), secret)
}
