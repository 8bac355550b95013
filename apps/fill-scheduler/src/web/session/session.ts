import { systemClock } from '../../clock.js'

/** Who is signed in, as the browser remembers it. */
export interface Session {
  readonly token: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** What a sign-in answers. */
export interface Granted {
  readonly access_token: string
  readonly expires_in: number
}

const EXPIRED = 'Your session has ended. Please sign in again; nothing is lost.'
const KEY = 'fill-scheduler.session'
const listeners = new Set<() => void>()
let known: { readonly text: string | null; readonly session: Session | undefined } = { text: null, session: undefined }
let farewell: string | undefined

/** The session that lasts through reloads and is shared by tabs; undefined when nobody is signed in. The same object until it changes. */
export function currentSession(): Session | undefined {
  const text = localStorage.getItem(KEY)
  if (text !== known.text) known = { text, session: sessionIn(text) }
  return known.session
}

/** Why nobody is signed in any more, in words; undefined where somebody wished it, or never was. */
export function farewellMessage(): string | undefined {
  return farewell ?? (localStorage.getItem(KEY) === null ? undefined : EXPIRED)
}

/** Begins a session. */
export function begin({ access_token: token, expires_in: seconds }: Granted): void {
  farewell = undefined
  const session: Session = { token, expiresAt: systemClock.now() + seconds * 1000 }
  localStorage.setItem(KEY, JSON.stringify(session))
  tell()
}

/** Ends the session, as somebody wishes it, or as the server does not take its token any more (`expired`), which is said where one signs in again. */
export function end(why: 'wished' | 'expired'): void {
  if (!currentSession()) return
  farewell = why === 'expired' ? EXPIRED : undefined
  localStorage.removeItem(KEY)
  tell()
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
  try {
    const { token, expiresAt } = JSON.parse(text ?? 'null') as Partial<Session>
    return typeof token === 'string' && typeof expiresAt === 'number' && expiresAt > now
      ? { token, expiresAt }
      : undefined
  } catch {
    return undefined
  }
}

function tell(): void {
  for (const listener of listeners) listener()
}
