import { createHash } from 'node:crypto'
import { userKey } from '../access/identity.js'
import { pause } from '../clock.js'
import { HoldfastError } from '../core/errors.js'
import type { Services } from '../core/services.js'
import type { Call } from './route.js'
import { seal, unseal } from './sealed-answer.js'

/** How long an answer is kept. */
const KEPT_MS = 86_400_000

/** How many answers of one user are kept so long, and how many characters they may have together. What is over is kept for a shorter time. */
const KEPT_MAX = 10_000
const KEPT_CHARACTERS_MAX = 16_777_216
const KEPT_SHORT_MS = 300_000

/** How long a request holds its key without a sign that its node lives, and how often it gives one. */
const HELD_MS = 15_000
const SIGN_MS = 5_000

/** How long a request waits for another with the same key; how soon it looks, and how seldom at last: each look asks the engine. */
const WAIT_MS = 10_000
const LOOK_MS = 50
const LOOK_MS_MAX = 800

/** Headers of an answer that are kept with it. */
const KEPT_HEADERS = ['content-type', 'etag', 'location']

/** Answers that are not kept: part of what they tell of may succeed later. */
const unfinished = new WeakSet<Response>()

/** Marks an answer that says of a part of the request that it may succeed later: the same request again does that part, and finds the rest done. */
export function leaveUnfinished(answer: Response): Response {
  unfinished.add(answer)
  return answer
}

/** What a request is, so that another under its key is told apart. */
export interface Attempt {
  /** Method and address. */
  readonly about: string
  readonly body: string
  /** The credential, where the answer is for its owner alone. */
  readonly sealedFor?: string | undefined
}

interface KeptAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Held {
  readonly print: string
  /** The answer; undefined while the request is under way. */
  readonly answer?: KeptAnswer
}

/** A key that was taken. */
interface Taken {
  readonly name: string
  readonly owner: string
  readonly print: string
  readonly version: number
}

/**
 * Does what comes with an `Idempotency-Key` once. An answer that says that it was done is kept for a day; a refusal changed nothing and is not, so that the same request may
 * succeed later. The key of a node that died over a request is free again after 15 seconds.
 */
export class Idempotency {
  readonly #services: Pick<Services, 'engine' | 'clock'>

  constructor(services: Pick<Services, 'engine' | 'clock'>) {
    this.#services = services
  }

  /** @throws HoldfastError `idempotency_conflict` for another request under the key, `already_held` while one is under way, `engine_unavailable`; whatever `handle` throws. */
  async once(call: Call, attempt: Attempt, handle: () => Promise<Response>): Promise<Response> {
    const { idempotencyKey, bearer, signal } = call
    if (idempotencyKey === undefined) return handle()
    const owner = userKey(bearer.identity)
    const name = `http-idempotency:${owner}${idempotencyKey}`
    const print = digest(`${attempt.about}\n${attempt.body}`)
    const taken = await this.#take({ name, owner, print }, signal)
    return 'answer' in taken ? replay(taken.answer, attempt.sealedFor) : this.#do(taken, attempt.sealedFor, handle)
  }

  /** Takes the key, or finds what was answered under it. */
  async #take(wanted: Omit<Taken, 'version'>, signal: AbortSignal): Promise<Taken | { readonly answer: KeptAnswer }> {
    const { engine, clock } = this.#services
    const { name, print } = wanted
    const end = clock.now() + WAIT_MS
    for (let waitMs = LOOK_MS; ; waitMs = Math.min(waitMs * 2, LOOK_MS_MAX)) {
      const found = await engine.records.get(name)
      const held = found && (JSON.parse(found.value) as Held)
      if (held !== undefined && held.print !== print)
        throw new HoldfastError('idempotency_conflict', 'This Idempotency-Key was used for another request')
      if (held?.answer !== undefined) return { answer: held.answer }
      const isFree = held === undefined
      const version = isFree
        ? await engine.records.put(name, textOfHeld(print), { ttlMs: HELD_MS, ifVersion: 0 })
        : undefined
      if (version !== undefined) return { ...wanted, version }
      if (clock.now() >= end || signal.aborted) throw underWay()
      await pause(clock, waitMs)
    }
  }

  async #do(taken: Taken, sealedFor: string | undefined, handle: () => Promise<Response>): Promise<Response> {
    const held = this.#hold(taken)
    try {
      const answer = await handle()
      const version = await held.end()
      if (version !== undefined) await this.#keep({ ...taken, version }, answer, sealedFor).catch(() => undefined)
      return answer
    } catch (error) {
      if ((await held.end()) !== undefined) await this.#letGo(taken)
      throw error
    }
  }

  /** Says again and again that this node lives. Answers the version that is held at the end; undefined: the key was lost to another. */
  #hold({ name, print, version: first }: Taken): { end(): Promise<number | undefined> } {
    const { engine, clock } = this.#services
    let version: number | undefined = first
    let sign = Promise.resolve()
    const renew = async (): Promise<void> => {
      if (version === undefined) return
      const put = engine.records.put(name, textOfHeld(print), { ttlMs: HELD_MS, ifVersion: version })
      version = await put.catch(() => version)
    }
    const cancel = clock.every(SIGN_MS, () => void (sign = sign.then(renew)))
    return {
      async end() {
        cancel()
        await sign
        return version
      },
    }
  }

  /** Rejects when it cannot be kept: what was done is answered all the same. */
  async #keep({ name, owner, print, version }: Taken, answer: Response, sealedFor: string | undefined): Promise<void> {
    if (answer.status >= 300 || unfinished.has(answer)) return this.#letGo({ name })
    const { status, headers } = answer
    const text = await answer.clone().text()
    const kept = Object.fromEntries([...headers].filter(([header]) => KEPT_HEADERS.includes(header)))
    const body = sealedFor === undefined ? text : seal(text, sealedFor)
    const held: Held = { print, answer: { status, headers: kept, body } }
    const value = JSON.stringify(held)
    const ttlMs = await this.#timeFor(owner, digest(name), value.length)
    await this.#services.engine.records.put(name, value, { ttlMs, ifVersion: version })
  }

  /** A day, as long as one user does not fill the store. */
  async #timeFor(owner: string, key: string, characters: number): Promise<number> {
    const { registers } = this.#services.engine
    const register = `http-idempotency:${owner}`
    const request = { key, amount: characters, ttlMs: KEPT_MS, entriesMax: KEPT_MAX }
    const totals = await registers.put(register, request)
    if (totals === undefined) return KEPT_SHORT_MS
    if (totals.amount <= KEPT_CHARACTERS_MAX) return KEPT_MS
    await registers.remove(register, key)
    return KEPT_SHORT_MS
  }

  async #letGo({ name }: Pick<Taken, 'name'>): Promise<void> {
    await this.#services.engine.records.take(name).catch(() => undefined)
  }
}

function textOfHeld(print: string): string {
  const held: Held = { print }
  return JSON.stringify(held)
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function underWay(): HoldfastError {
  return new HoldfastError('already_held', 'A request with this Idempotency-Key is under way', { retryAfter: 1_000 })
}

function replay({ status, headers, body: kept }: KeptAnswer, sealedFor: string | undefined): Response {
  const body = sealedFor === undefined ? kept : unseal(kept, sealedFor)
  if (body === undefined)
    throw new HoldfastError('idempotency_conflict', 'The answer to this request was for another credential')
  return new Response(body === '' ? null : body, { status, headers: { ...headers, 'idempotent-replayed': 'true' } })
}
