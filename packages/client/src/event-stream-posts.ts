import type { Clock } from './clock.js'

/** What posts go to, and what becomes of them. */
export interface PostsParts {
  /** The address of the stream, without a query. */
  readonly url: string
  readonly secret: string
  readonly clock: Clock
  /** The stream has ended, or cannot be reached: what was said is lost. Told once. */
  failed(): void
}

/** Characters of one post. A single frame may be longer. */
const POST_CHARACTERS_MAX = 32_768

/** Characters that wait; a connection that carries less than is said is none. */
const WAITING_CHARACTERS_MAX = 8_388_608

/** How often a post is tried, and how long after the last try. Its number makes that safe. */
const TRIES_MAX = 6
const RETRY_MS = 500

/** How long a post may take. */
const POST_TIMEOUT_MS = 10_000

/** Brings what a client says to its event stream: one post at a time, in order; what is said meanwhile goes together in the next. */
export class Posts {
  readonly #parts: PostsParts
  #waiting: string[] = []
  #characters = 0
  #sequence = 0
  #isPosting = false
  #isOver = false
  #isLast = false

  constructor(parts: PostsParts) {
    this.#parts = parts
  }

  /** Characters that have not been taken. */
  get waiting(): number {
    return this.#characters
  }

  /** Says something. */
  push(frame: string): void {
    if (this.#isOver || this.#isLast) return
    if (this.#characters + frame.length > WAITING_CHARACTERS_MAX) return this.#fail()
    this.#waiting.push(frame)
    this.#characters += frame.length
    void this.#run()
  }

  /** Says that the client goes, behind everything else. */
  end(): void {
    if (this.#isOver || this.#isLast) return
    this.#isLast = true
    void this.#run()
  }

  /** Says nothing more. */
  stop(): void {
    this.#isOver = true
    this.#waiting = []
  }

  async #run(): Promise<void> {
    if (this.#isPosting) return
    this.#isPosting = true
    // What is said in the same turn goes together.
    await Promise.resolve()
    while (!this.#isOver && (this.#waiting.length > 0 || this.#isLast)) {
      const frames = this.#batch()
      const isLast = this.#isLast && this.#waiting.length === 0
      this.#sequence += 1
      if (!(await this.#deliver(frames.join('\n'), isLast)) && !this.#isOver) this.#fail()
      for (const frame of frames) this.#characters -= frame.length
      if (isLast) this.stop()
    }
    this.#isPosting = false
  }

  #batch(): string[] {
    let characters = 0
    let count = 0
    for (const frame of this.#waiting) {
      characters += frame.length
      if (count > 0 && characters > POST_CHARACTERS_MAX) break
      count += 1
    }
    return this.#waiting.splice(0, count)
  }

  async #deliver(body: string, isLast: boolean): Promise<boolean> {
    for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
      const status = await this.#post(body, isLast)
      if (this.#isOver || status === 204) return true
      // Too fast, no way there, or a node that does not answer now.
      if (status !== 429 && status !== 0 && status < 500) return false
      await new Promise<void>((resolve) => this.#parts.clock.after(RETRY_MS * tries, resolve))
      if (this.#isOver) return true
    }
    return false
  }

  /** The status; 0 when there is no answer. */
  async #post(body: string, isLast: boolean): Promise<number> {
    const { url, secret, clock } = this.#parts
    const abort = new AbortController()
    const cancel = clock.after(POST_TIMEOUT_MS, () => abort.abort())
    try {
      const answer = await fetch(`${url}?sequence=${this.#sequence}${isLast ? '&last=true' : ''}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'text/plain;charset=UTF-8' },
        body,
        signal: abort.signal,
        // A page that is left takes its last words along.
        keepalive: isLast,
      })
      await answer.arrayBuffer()
      return answer.status
    } catch {
      return 0
    } finally {
      cancel()
    }
  }

  #fail(): void {
    if (this.#isOver) return
    this.stop()
    this.#parts.failed()
  }
}
