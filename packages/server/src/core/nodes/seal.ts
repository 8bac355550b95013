import { createHmac } from 'node:crypto'
import type { Clock } from '../../clock.js'
import type { Random } from '../../random.js'
import { isSame } from '../../same-bytes.js'

/** What was sealed: who says what to whom, when. */
export interface Letter {
  readonly from: string
  /** Undefined: to all nodes. */
  readonly to: string | undefined
  readonly content: unknown
}

/** Why a sealed text is not believed. */
export type SealRefusal = 'too_long' | 'forged' | 'malformed' | 'misdirected' | 'stale' | 'replayed'

/** What came of a text. */
export type Opened =
  | { readonly letter: Letter }
  | { readonly refusal: SealRefusal; readonly ageMs?: number | undefined }

/** How far from now the time of a text may be, either way: the clocks of nodes differ, and a text takes its way. */
const AGE_MS_MAX = 30_000

/** Characters of a text at most. */
const TEXT_MAX = 2_097_152

/** Texts of one period whose nonces are remembered; beyond it nothing more is believed until the next period. */
const NONCES_MAX = 200_000

/** Bytes of a nonce. */
const NONCE_BYTES = 12

/** Characters of a seal: 256 bits, in base64url. */
const SEAL_LENGTH = 43

/**
 * Seals texts between nodes that share a secret, and opens them (HMAC-SHA256, RFC 2104). The seal covers sender, receiver, time and a nonce: a text cannot be
 * changed, sent on to another node, kept for later or said twice.
 */
export class Seal {
  readonly #key: Buffer
  readonly #node: string
  readonly #clock: Clock
  readonly #random: Random
  /** The nonces of this period and of the one before. */
  #nonces: [Set<string>, Set<string>] = [new Set(), new Set()]
  #periodAt = 0

  /** `secret` is what the nodes share; the key is made of it for this use alone. */
  constructor(secret: string, node: string, clock: Clock, random: Random) {
    this.#key = createHmac('sha256', secret).update('holdfast control messages 1').digest()
    this.#node = node
    this.#clock = clock
    this.#random = random
  }

  /** The sealed text of `content` to a node, or to all. */
  close(to: string | undefined, content: unknown): string {
    const letter = { from: this.#node, to, at: this.#clock.now(), nonce: this.#random.id(NONCE_BYTES), content }
    const text = JSON.stringify(letter)
    return this.#sealOf(text) + text
  }

  /** Opens a text, whatever it is; never throws. A text is opened once. */
  open(sealed: string): Opened {
    if (sealed.length > TEXT_MAX) return { refusal: 'too_long' }
    const text = sealed.slice(SEAL_LENGTH)
    if (!this.#isSealed(sealed.slice(0, SEAL_LENGTH), text)) return { refusal: 'forged' }
    const letter = readLetter(text)
    if (letter === undefined) return { refusal: 'malformed' }
    if (letter.to !== undefined && letter.to !== this.#node) return { refusal: 'misdirected' }
    const ageMs = this.#clock.now() - letter.at
    if (Math.abs(ageMs) > AGE_MS_MAX) return { refusal: 'stale', ageMs }
    return this.#isNew(letter.nonce) ? { letter } : { refusal: 'replayed' }
  }

  #sealOf(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url')
  }

  /** Compared as they are written: many spellings decode to the same bytes, and one of them is a seal. */
  #isSealed(seal: string, text: string): boolean {
    return isSame(Buffer.from(seal), Buffer.from(this.#sealOf(text)))
  }

  /** A text is believed for twice the age at most, from one clock that is late to one that is early: two periods of that remember it long enough. */
  #isNew(nonce: string): boolean {
    const now = this.#clock.now()
    if (now - this.#periodAt >= AGE_MS_MAX * 2) {
      this.#nonces = [new Set(), this.#nonces[0]]
      this.#periodAt = now
    }
    const [current, former] = this.#nonces
    if (current.has(nonce) || former.has(nonce) || current.size >= NONCES_MAX) return false
    current.add(nonce)
    return true
  }
}

function readLetter(text: string): (Letter & { readonly at: number; readonly nonce: string }) | undefined {
  try {
    const { from, to, at, nonce, content } = JSON.parse(text) as Partial<Record<string, unknown>>
    if (typeof from !== 'string' || typeof at !== 'number' || typeof nonce !== 'string') return undefined
    if (to !== undefined && typeof to !== 'string') return undefined
    return { from, to, at, nonce, content }
  } catch {
    return undefined
  }
}
