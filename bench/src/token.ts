import { createHmac, timingSafeEqual } from 'node:crypto'
import { timeOfDayMs } from './clock.js'

/** The secret of every server under test. It protects nothing: the servers listen on loopback for the length of a run. */
export const BENCH_SECRET = 'a-secret-of-the-bench-that-protects-nothing'

/** The tenant of every connection. */
export const BENCH_TENANT = 'bench'

const HEADER = encode({ alg: 'HS256', typ: 'JWT' })
/** Longer than any run, and no longer than a server accepts. */
const LIFETIME_SECONDS = 43_200

/** An HS256 token for `user` that both servers accept. */
export function benchToken(user: string): string {
  const payload = `${HEADER}.${encode({ tenant: BENCH_TENANT, sub: user, exp: Math.floor(timeOfDayMs() / 1_000) + LIFETIME_SECONDS })}`
  return `${payload}.${signature(payload)}`
}

/** The user of a token, or undefined when its signature does not match: the check a careful user of Socket.IO writes. */
export function verifiedUser(token: string): string | undefined {
  const [header = '', payload = '', signed = ''] = token.split('.')
  const expected = Buffer.from(signature(`${header}.${payload}`))
  const received = Buffer.from(signed)
  if (received.length !== expected.length || !timingSafeEqual(received, expected)) return undefined
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub?: unknown }
  return typeof claims.sub === 'string' ? claims.sub : undefined
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function signature(payload: string): string {
  return createHmac('sha256', BENCH_SECRET).update(payload).digest('base64url')
}
