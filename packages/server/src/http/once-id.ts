import { createHash } from 'node:crypto'
import { userKey } from '../access/identity.js'
import type { Call } from './route.js'

const DAY_MS = 86_400_000

const CHARACTERS = 24

/**
 * A name for what a request does, undefined where it has no `Idempotency-Key`: the same one when it is made again, and another one for every other bearer. `about` is what else tells two requests
 * apart.
 */
export function onceName({ bearer, idempotencyKey }: Call, about: string): string | undefined {
  return idempotencyKey === undefined ? undefined : digest([userKey(bearer.identity), idempotencyKey, about])
}

/**
 * An id for what a request makes, undefined where it has no `Idempotency-Key`: the same one when the request is made again because its node died over it, and another one for
 * every other bearer, and a day later, when the key is free again. `about` is what else tells two requests apart, `madeAt` when what has an id was made (milliseconds since 1970).
 */
export async function onceId(
  { node, bearer, idempotencyKey }: Call,
  about: string,
  madeAt: (id: string) => Promise<number | undefined>,
): Promise<string | undefined> {
  if (idempotencyKey === undefined) return undefined
  const now = node.services.clock.now()
  const today = Math.floor(now / DAY_MS)
  const idOf = (day: number): string => digest([userKey(bearer.identity), idempotencyKey, day, about])
  const before = idOf(today - 1)
  const at = await madeAt(before)
  return at !== undefined && now - at < DAY_MS ? before : idOf(today)
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, CHARACTERS)
}
