import type { Stream } from '../engine/engine.js'

/** What a life holds in its register: a connection, or a subject that others have to look at when the life ends. */
export type HeldKey =
  | { readonly kind: 'connection'; readonly connection: string }
  | { readonly kind: 'subject'; readonly subject: Subject }

/** What has two states, one of which was told last: a channel (occupied, vacated), or a user in it (joined, left). */
export interface Subject {
  readonly stream: Stream
  /** Undefined: the channel itself. */
  readonly user: string | undefined
}

/** The name of a subject. JSON, so that no choice of characters makes two subjects one. */
export function subjectKey({ stream, user }: Subject): string {
  return JSON.stringify(user === undefined ? [stream.tenant, stream.channel] : [stream.tenant, stream.channel, user])
}

/** The subject that a name stands for; undefined where it stands for none. */
export function readSubject(key: string): Subject | undefined {
  const parts = readTexts(key)
  const [tenant, channel, user] = parts ?? []
  if (tenant === undefined || channel === undefined) return undefined
  return { stream: { tenant, channel }, user }
}

/** The key of a connection among what a life holds. */
export function connectionKey(connection: string): string {
  return JSON.stringify([connection])
}

/** What a key of a life's register stands for; undefined where it stands for nothing. */
export function readHeld(key: string): HeldKey | undefined {
  const parts = readTexts(key)
  if (parts?.length === 1) return { kind: 'connection', connection: parts[0] ?? '' }
  const subject = readSubject(key)
  return subject && { kind: 'subject', subject }
}

function readTexts(key: string): readonly string[] | undefined {
  try {
    const parts: unknown = JSON.parse(key)
    if (!Array.isArray(parts) || !parts.every((part) => typeof part === 'string')) return undefined
    return parts.length >= 1 && parts.length <= 3 ? parts : undefined
  } catch {
    return undefined
  }
}
