import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/**
 * What it costs to try one password: 128 MiB of memory and some tenths of a second. The first of the settings for scrypt that the OWASP Password Storage Cheat Sheet names: N = 2^17, r = 8, p = 1.
 * Kept with each password, so that a higher cost later leaves old ones valid.
 */
export const PASSWORD_COST: PasswordCost = { logN: 17, r: 8, p: 1 }

/** Passwords that are computed at the same time, and so the memory that they take: 2 · 128 MiB. */
const AT_A_TIME_MAX = 2
/** Passwords that wait for their turn; more are refused, who guesses waits no longer than a minute. */
const WAITING_MAX = 64

const SALT_BYTES = 16
const HASH_BYTES = 32

/** Parameters of scrypt (RFC 7914); `logN` is the power of two. */
export interface PasswordCost {
  readonly logN: number
  readonly r: number
  readonly p: number
}

/** More passwords wait to be checked than this process takes. Try again later. */
export class PasswordsBusyError extends Error {
  readonly code = 'passwords_busy'

  constructor() {
    super(`more than ${WAITING_MAX} passwords wait to be checked; try again later`)
    this.name = 'PasswordsBusyError'
  }
}

/** Turns passwords into what may be stored, and checks them against that. */
export class Passwords {
  readonly #cost: PasswordCost
  readonly #turns = new Turns(AT_A_TIME_MAX, WAITING_MAX)

  /** A lower cost than the default is for tests. */
  constructor(cost: PasswordCost = PASSWORD_COST) {
    this.#cost = cost
  }

  /** What is stored: `$scrypt$ln=17,r=8,p=1$salt$hash`, with a salt of its own. @throws PasswordsBusyError */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES)
    return encode({ cost: this.#cost, salt, hash: await this.#derive(password, salt, this.#cost) })
  }

  /** Whether it is the password. Takes as long when there is nothing to compare it with: nobody learns from it who has an account. @throws PasswordsBusyError */
  async verify(password: string, stored: string | undefined): Promise<boolean> {
    const kept = stored === undefined ? undefined : decode(stored)
    const { cost, salt, hash } = kept ?? {
      cost: this.#cost,
      salt: randomBytes(SALT_BYTES),
      hash: randomBytes(HASH_BYTES),
    }
    const isSame = timingSafeEqual(await this.#derive(password, salt, cost), hash)
    return isSame && kept !== undefined
  }

  /** Whether it was stored at another cost than today's. */
  isOutdated(stored: string): boolean {
    const cost = decode(stored)?.cost
    return cost?.logN !== this.#cost.logN || cost.r !== this.#cost.r || cost.p !== this.#cost.p
  }

  #derive(password: string, salt: Buffer, { logN, r, p }: PasswordCost): Promise<Buffer> {
    const N = 2 ** logN
    // What scrypt needs is 128 · N · r bytes and a little.
    const options = { N, r, p, maxmem: 128 * r * (N + p + 2) }
    return this.#turns.take(
      () =>
        new Promise((resolve, reject) => {
          // The same text may come in several forms from different keyboards.
          scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, key) =>
            error === null ? resolve(key) : reject(error),
          )
        }),
    )
  }
}

interface Stored {
  readonly cost: PasswordCost
  readonly salt: Buffer
  readonly hash: Buffer
}

function encode({ cost, salt, hash }: Stored): string {
  const text = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
  return `$scrypt$ln=${cost.logN},r=${cost.r},p=${cost.p}$${text(salt)}$${text(hash)}`
}

/** Undefined when it is nothing that `encode` wrote. */
function decode(stored: string): Stored | undefined {
  const parts = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/]{22})\$([\w+/]{43})$/.exec(stored)
  if (parts === null) return undefined
  const [, logN, r, p, salt = '', hash = ''] = parts
  return {
    cost: { logN: Number(logN), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  }
}

/** Work of which so many are under way at a time, and so many wait. */
class Turns {
  readonly #atATimeMax: number
  readonly #waitingMax: number
  readonly #waiting: (() => void)[] = []
  #underWay = 0

  constructor(atATimeMax: number, waitingMax: number) {
    this.#atATimeMax = atATimeMax
    this.#waitingMax = waitingMax
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#underWay < this.#atATimeMax) this.#underWay += 1
    else await this.#wait()
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#underWay -= 1
      else next()
    }
  }

  #wait(): Promise<void> {
    if (this.#waiting.length >= this.#waitingMax) throw new PasswordsBusyError()
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }
}
