import { createHash } from 'node:crypto'

/** What every message of a run carries, so that a copy of it can be recognised wherever it turns up. */
export interface Payload {
  /** A word that belongs to the tenant and must never be seen by another. */
  readonly canary: string
  readonly tenant: string
  readonly publisher: string
  readonly seq: number
  /** Of all the rest. */
  readonly hash: string
  readonly filler?: string
}

/** Makes the payload of a publish; `filler` makes it as large as one likes. */
export function payloadOf(tenant: string, publisher: string, seq: number, filler: string = ''): Payload {
  const content = { canary: canaryOf(tenant), tenant, publisher, seq, filler }
  return { ...content, hash: hashOf(content) }
}

/** The word that only this tenant may see. */
export function canaryOf(tenant: string): string {
  return `canary-${createHash('sha256').update(tenant).digest('hex').slice(0, 12)}`
}

/** The name of a publish in the history. */
export function publishName(payload: Pick<Payload, 'publisher' | 'seq'>): string {
  return `${payload.publisher}#${payload.seq}`
}

/** The hash of what a payload holds, worked out anew. */
export function hashOf({ canary, tenant, publisher, seq, filler = '' }: Omit<Payload, 'hash'>): string {
  const text = JSON.stringify([canary, tenant, publisher, seq, filler])
  return createHash('sha256').update(text).digest('base64url').slice(0, 16)
}
