import { systemClock } from '../../clock.js'

/** Who is signed in, as the browser remembers it. */
export interface Session {
  readonly token: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** When somebody signed in, in the same milliseconds: a token that is renewed goes on with the session. */
  readonly since: number
  /** Came in by a one-time link. */
  readonly isByLink: boolean
  /** Whose it is, where somebody signed in with an address: who comes back goes on with the same session. */
  readonly email?: string
}

/** What a sign-in answers. */
export interface Granted {
  readonly access_token: string
  readonly expires_in: number
}

const EXPIRED = 'Your session has ended. Please sign in again; what runs goes on meanwhile.'
const CLOSED = 'Your account is closed, and everything of it is removed.'
const KEY = 'fill-scheduler.session'
const CHANGING_KEY = 'fill-scheduler.changing'
/** A tab that was closed in the middle of a change does not hold the others up for longer. */
const CHANGING_MS = 15_000
const listeners = new Set<() => void>()
let known: { readonly text: string | null; readonly session: Session | undefined } = { text: null, session: undefined }
let farewell: string | undefined

/** The session that lasts through reloads and is shared by tabs; undefined when nobody is signed in. The same object until it changes. */
export function currentSession(): Session | undefined {
  const text = localStorage.getItem(KEY)
  if (text !== known.text) known = { text, session: sessionIn(text) }
  return known.session
}

/** Since when the session is that this browser has, also where its token is good no more and somebody has to sign in again to go on with it. */
export function heldSince(): number | undefined {
  return heldSession()?.since
}

/** Why nobody is signed in any more, in words; undefined where somebody wished it, or never was. */
export function farewellMessage(): string | undefined {
  return farewell ?? (localStorage.getItem(KEY) === null ? undefined : EXPIRED)
}

/** Begins a session with a link, or as whoever has this address; if it is theirs that ran out, it goes on. */
export function begin(granted: Granted, as: 'link' | { readonly email: string }): void {
  const email = as === 'link' ? undefined : as.email.trim().toLowerCase()
  const held = heldSession()
  const since = email !== undefined && held?.email === email ? held.since : systemClock.now()
  keep(granted, { since, isByLink: as === 'link', ...(email !== undefined && { email }) })
}

/** Goes on with another token, in the session that began `since`. Where another has begun meanwhile, in another tab, that one stays as it is: its pages are somebody else's. */
export function renew(granted: Granted, since: number | undefined): void {
  const held = heldSession()
  if (held !== undefined && held.since === since) keep(granted, held)
}

function keep(
  { access_token: token, expires_in: seconds }: Granted,
  { since, isByLink, email }: Pick<Session, 'since' | 'isByLink' | 'email'>,
): void {
  farewell = undefined
  const expiresAt = systemClock.now() + seconds * 1000
  const session: Session = { token, expiresAt, since, isByLink, ...(email !== undefined && { email }) }
  localStorage.setItem(KEY, JSON.stringify(session))
  tell()
}

/** Ends the session that began `since` (default: whichever there is), as somebody wishes it, or because the account is closed. */
export function end(why: 'wished' | 'closed', since: number | undefined = heldSince()): void {
  if (since === undefined || heldSince() !== since) return
  farewell = { wished: undefined, closed: CLOSED }[why]
  localStorage.removeItem(KEY)
  tell()
}

/** The server does not take a token: somebody has to sign in again, unless the session goes on with another one, or the account is just being changed. */
export function refuse(token: string): void {
  const session = currentSession()
  if (session?.token !== token || isChanging()) return
  localStorage.setItem(KEY, JSON.stringify({ ...session, token: '', expiresAt: 0 }))
  tell()
}

/** Does something at the server by which tokens are withdrawn. Until it is done, no tab takes a token that is refused for the end. */
export async function whileChanging<T>(work: () => Promise<T>): Promise<T> {
  localStorage.setItem(CHANGING_KEY, String(systemClock.now() + CHANGING_MS))
  try {
    return await work()
  } finally {
    localStorage.removeItem(CHANGING_KEY)
  }
}

function isChanging(): boolean {
  const until = Number(localStorage.getItem(CHANGING_KEY) ?? 0)
  const now = systemClock.now()
  return until > now && until <= now + CHANGING_MS
}

/** Calls a listener when somebody signs in or out, also in another tab; returns its undo. */
export function onSession(listener: () => void): () => void {
  listeners.add(listener)
  window.addEventListener('storage', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('storage', listener)
  }
}

/** What was kept, where it is a session that has not run out. */
export function sessionIn(text: string | null, now: number = systemClock.now()): Session | undefined {
  const session = keptIn(text)
  return session && session.expiresAt > now ? session : undefined
}

function heldSession(): Session | undefined {
  return keptIn(localStorage.getItem(KEY))
}

function keptIn(text: string | null): Session | undefined {
  try {
    const { token, expiresAt, since, isByLink, email } = JSON.parse(text ?? 'null') as Partial<Session>
    if (typeof token !== 'string' || typeof expiresAt !== 'number') return undefined
    const known = { token, expiresAt, since: since ?? 0, isByLink: isByLink === true }
    return typeof email === 'string' ? { ...known, email } : known
  } catch {
    return undefined
  }
}

function tell(): void {
  for (const listener of listeners) listener()
}
