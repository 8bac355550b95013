import { createHash, randomBytes } from 'node:crypto'

/** A new id: 96 random bits in hex, fit for channels and operations. */
export function newId(): string {
  return randomBytes(12).toString('hex')
}

/** The id of what a user asks for under an `Idempotency-Key`: the same for the same key, and nobody else's. */
export function idOfKey(userId: string, kind: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([userId, kind, key]))
    .digest('hex')
    .slice(0, 24)
}
