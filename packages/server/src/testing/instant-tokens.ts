import { createHmac } from 'node:crypto'
import type { Authenticator } from '../access/authenticator.js'
import { fail, judgeClaims } from '../access/token-claims.js'
import { readToken } from '../access/token-text.js'
import type { Clock } from '../clock.js'
import type { HoldfastOptions } from '../options.js'
import { TEST_SECRET } from './test-node.js'

const RULES = { claims: {}, lifetimeMsMax: 86_400_000, toleranceMs: 5_000 }

/**
 * Options for nodes under a simulated clock: they take the tokens of `TEST_SECRET` within the turn. What verifies tokens otherwise does so on another thread, for which a clock that
 * stands still does not wait.
 */
export function instantTokens(
  clock: Pick<Clock, 'now'>,
): Pick<HoldfastOptions, 'cluster' | 'channelTokens'> & { readonly auth: Authenticator } {
  return {
    auth: { authenticate: (credential) => judge(credential, clock.now()) },
    cluster: { secret: TEST_SECRET },
    channelTokens: { secret: TEST_SECRET },
  }
}

function judge(credential: string, now: number): ReturnType<Authenticator['authenticate']> {
  const token = readToken(credential)
  if ('problem' in token) return fail('invalid', token.problem)
  const content = credential.slice(0, credential.lastIndexOf('.'))
  const mac = createHmac('sha256', TEST_SECRET).update(content).digest('base64url')
  return `${content}.${mac}` === credential ? judgeClaims(token.claims, RULES, now) : fail('invalid', 'wrong signature')
}
