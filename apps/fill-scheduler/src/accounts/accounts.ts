import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Clock, systemClock } from '../clock.js'
import type { User, UserStore } from '../store/store.js'
import { Passwords } from './password.js'

/** Length of a password, in characters. */
export const PASSWORD_LENGTH = { min: 8, max: 256 }

/** What is looked at of a password that somebody tries: a character is two units at most, and longer ones are nobody's. */
const TRIED_UNITS_MAX = 2 * PASSWORD_LENGTH.max + 1

const address = z.email().max(254)

/** Why an account cannot be made. */
export class AccountError extends Error {
  readonly code: 'email_taken' | 'invalid_email' | 'invalid_password'
  /** The member of the request. */
  readonly field: 'email' | 'password'

  constructor(code: AccountError['code'], message: string) {
    super(message)
    this.name = 'AccountError'
    this.code = code
    this.field = code === 'email_taken' || code === 'invalid_email' ? 'email' : 'password'
  }
}

/** What accounts need. */
export interface AccountsOptions {
  readonly users: UserStore
  readonly clock?: Clock
  readonly passwords?: Passwords
}

/** An e-mail address and a password, as somebody wrote them. */
export interface Credentials {
  readonly email: string
  readonly password: string
}

/** Who may use the fill scheduler. */
export class Accounts {
  readonly #users: UserStore
  readonly #clock: Clock
  readonly #passwords: Passwords

  constructor({ users, clock = systemClock, passwords = new Passwords() }: AccountsOptions) {
    this.#users = users
    this.#clock = clock
    this.#passwords = passwords
  }

  /** Makes an account. @throws AccountError `invalid_email`, `invalid_password`, `email_taken` */
  async register({ email, password }: Credentials): Promise<User> {
    const checked = checkedAddress(email)
    if (checked === undefined) throw new AccountError('invalid_email', 'email must be an e-mail address')
    const user: User = {
      id: randomUUID(),
      email: checked,
      passwordHash: await this.prepared(password),
      isActive: true,
      createdAt: new Date(this.#clock.now()).toISOString(),
    }
    if (!(await this.#users.create(user))) throw new AccountError('email_taken', 'Email already registered')
    return user
  }

  /** Who it is. Undefined, after the same time, for an unknown address, a wrong password and an account that is closed: nobody learns which. */
  async login(credentials: Credentials): Promise<User | undefined> {
    const { email, password } = credentials
    const checked = checkedAddress(email)
    const user = checked === undefined ? undefined : await this.#users.byEmail(checked)
    const isRight = await this.#passwords.verify(password.slice(0, TRIED_UNITS_MAX), user?.passwordHash)
    if (user === undefined || !isRight || !user.isActive) return undefined
    if (!this.#passwords.isOutdated(user.passwordHash)) return user
    const renewed = await this.setPassword(user, await this.#passwords.hash(password))
    // Somebody came in at the same moment, or has set another password, which has to stay.
    return renewed ?? this.login(credentials)
  }

  /** Whose account is open. */
  async active(id: string): Promise<User | undefined> {
    const user = await this.#users.byId(id)
    return user?.isActive ? user : undefined
  }

  /** Notes that a token was signed in this second, where the account is still open, with the password that it had. False where it is not. */
  noteToken({ id, passwordHash }: User, second: number): Promise<boolean> {
    return this.#users.noteToken(id, { passwordHash, second })
  }

  /** The latest second in which a token of the account was signed, by whichever server; 0: none was. */
  tokensUntil(id: string): Promise<number> {
    return this.#users.tokensUntil(id)
  }

  /** Whether it is the password of this account. */
  isPassword({ passwordHash }: User, password: string): Promise<boolean> {
    return this.#passwords.verify(password.slice(0, TRIED_UNITS_MAX), passwordHash)
  }

  /** A new password in the form in which it is kept; `setPassword` takes it. @throws AccountError `invalid_password` */
  async prepared(password: string): Promise<string> {
    return this.#passwords.hash(checkedPassword(password))
  }

  /** The account with another password. Undefined when it is not any more as it was: another password was set, or it was closed. */
  async setPassword(user: User, prepared: string): Promise<User | undefined> {
    const isSet = await this.#users.changePassword(user.id, { from: user.passwordHash, to: prepared })
    return isSet ? { ...user, passwordHash: prepared } : undefined
  }

  /** Removes an account with everything that it has. Answers what `tokensUntil` was; undefined when there is none. */
  remove(id: string): Promise<number | undefined> {
    return this.#users.delete(id)
  }
}

function checkedAddress(email: string): string | undefined {
  const { success, data } = address.safeParse(email.trim().toLowerCase())
  return success ? data : undefined
}

function checkedPassword(password: string): string {
  const { min, max } = PASSWORD_LENGTH
  const length = [...password].length
  if (length < min || length > max)
    throw new AccountError('invalid_password', `password must have ${min} to ${max} characters, received ${length}`)
  return password
}
