import { createHash } from 'node:crypto'
import { userKey } from '../access/identity.js'
import type { Cancel } from '../clock.js'
import { HoldfastError } from '../core/errors.js'
import { pause } from '../core/nodes/drain.js'
import type { Services } from '../core/services.js'
import type { Call } from './route.js'

/** How long an answer is kept. */
const KEPT_MS = 86_400_000

/** How long a request holds its key without a sign that its node lives, and how often it gives one. */
const HELD_MS = 15_000
const SIGN_MS = 5_000

/** How long a request waits for another with the same key, and how often it looks. */
const WAIT_MS = 10_000
const LOOK_MS = 100

/** Headers of an answer that are kept with it. */
const KEPT_HEADERS = ['content-type', 'etag', 'location']

/** What a request is, so that another under its key is told apart. */
export interface Attempt {
  /** Method and address. */
  readonly about: string
  readonly body: string
}

interface Held {
  readonly print: string
  /** The answer; undefined while the request is under way. */
  readonly answer?: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  }
}

/**
 * Does what comes with an `Idempotency-Key` once. An answer that says that it was done is kept for a day; a refusal changed nothing and is not, so that the same request may
 * succeed later. The key of a node that died over a request is free again after 15 seconds.
 */
export class Idempotency {
  readonly #services: Pick<Services, 'engine' | 'clock' | 'random'>

  constructor(services: Pick<Services, 'engine' | 'clock' | 'random'>) {
    this.#services = services
  }

  /** @throws HoldfastError `idempotency_conflict` for another request under the key, `already_held` while one is under way, `engine_unavailable`; whatever `handle` throws. */
  async once(call: Call, attempt: Attempt, handle: () => Promise<Response>): Promise<Response> {
    const { idempotencyKey, bearer } = call
    if (idempotencyKey === undefined) return handle()
    const name = `http-idempotency:${userKey(bearer.identity)}${idempotencyKey}`
    const print = createHash('sha256').update(`${attempt.about}\n${attempt.body}`).digest('base64url')
    const taken = await this.#take(name, print, call.signal)
    return 'replayed' in taken ? taken.replayed : this.#do(name, { print, ...taken }, handle)
  }

  /** Takes the key, or finds what was answered under it. */
  async #take(
    name: string,
    print: string,
    signal: AbortSignal,
  ): Promise<{ readonly version: number } | { readonly replayed: Response }> {
    const { engine, clock } = this.#services
    const end = clock.now() + WAIT_MS
    while (true) {
      const found = await engine.records.get(name)
      const held = found && (JSON.parse(found.value) as Held)
      if (held !== undefined && held.print !== print) throw new HoldfastError('idempotency_conflict', OTHER_REQUEST)
      if (held?.answer !== undefined) return { replayed: replay(held.answer) }
      if (held === undefined) {
        const version = await engine.records.put(name, JSON.stringify({ print }), { ttlMs: HELD_MS, ifVersion: 0 })
        if (version !== undefined) return { version }
      }
      if (clock.now() >= end || signal.aborted) throw UNDER_WAY()
      await pause(clock, LOOK_MS)
    }
  }

  async #do(
    name: string,
    { print, version }: { readonly print: string; readonly version: number },
    handle: () => Promise<Response>,
  ): Promise<Response> {
    const hold = this.#hold(name, print, version)
    try {
      const answer = await handle()
      const ifVersion = await hold.end()
      if (ifVersion !== undefined) await this.#keep(name, { print, answer, ifVersion })
      return answer
    } catch (error) {
      if ((await hold.end()) !== undefined) await this.#services.engine.records.take(name).catch(() => undefined)
      throw error
    }
  }

  /** Says again and again that this node lives. Answers the version that is held at the end; undefined: the key was lost to another. */
  #hold(name: string, print: string, first: number): { end(): Promise<number | undefined> } {
    const { engine, clock } = this.#services
    let version: number | undefined = first
    let sign = Promise.resolve()
    const renew = async (): Promise<void> => {
      if (version === undefined) return
      const put = engine.records.put(name, JSON.stringify({ print }), { ttlMs: HELD_MS, ifVersion: version })
      version = await put.catch(() => version)
    }
    const cancel: Cancel = clock.every(SIGN_MS, () => (sign = sign.then(renew)))
    return {
      async end() {
        cancel()
        await sign
        return version
      },
    }
  }

  /** What was done is answered, whether that can be kept or not. */
  async #keep(
    name: string,
    { print, answer, ifVersion }: { readonly print: string; readonly answer: Response; readonly ifVersion: number },
  ): Promise<void> {
    const { records } = this.#services.engine
    if (answer.status >= 300) return void (await records.take(name).catch(() => undefined))
    const { status, headers } = answer
    const kept = Object.fromEntries([...headers].filter(([header]) => KEPT_HEADERS.includes(header)))
    const held: Held = { print, answer: { status, headers: kept, body: await answer.clone().text() } }
    await records.put(name, JSON.stringify(held), { ttlMs: KEPT_MS, ifVersion }).catch(() => undefined)
  }
}

const OTHER_REQUEST = 'This Idempotency-Key was used for another request'

const UNDER_WAY = (): HoldfastError =>
  new HoldfastError('already_held', 'A request with this Idempotency-Key is under way', { retryAfter: 1_000 })

function replay({ status, headers, body }: NonNullable<Held['answer']>): Response {
  const hasBody = status !== 204 && body !== ''
  return new Response(hasBody ? body : null, { status, headers: { ...headers, 'idempotent-replayed': 'true' } })
}
