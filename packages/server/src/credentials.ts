import { type NewApiKey, makeApiKey } from './access/api-key.js'
import { type ChannelTokenClaims, signChannelTokenAt } from './access/channel-token.js'
import { systemClock } from './clock.js'
import { systemRandom } from './random.js'

/** Makes an API key for the options of a node (`auth.apiKeys`): hand `key` to the server that is to use it, and put `id` and `hash` into the options. */
export function createApiKey(): NewApiKey {
  return makeApiKey(systemRandom)
}

/**
 * Makes a channel token that a node with the same secret accepts: it allows one user of one tenant something on one channel, for five minutes unless it says otherwise.
 *
 * @throws RangeError when a claim cannot be in a token.
 */
export function signChannelToken(claims: ChannelTokenClaims): string {
  return signChannelTokenAt(claims, systemClock.now())
}
