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
 * every other bearer, and on the next day, when the key is free again. `about` is what else tells two requests apart.
 */
export function onceId({ node, bearer, idempotencyKey }: Call, about: string): string | undefined {
  if (idempotencyKey === undefined) return undefined
  const day = Math.floor(node.services.clock.now() / DAY_MS)
  return digest([userKey(bearer.identity), idempotencyKey, day, about])
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, CHARACTERS)
}
