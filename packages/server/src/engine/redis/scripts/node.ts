import { script } from '../script.js'
import type { Script } from '../shard.js'

/**
 * Takes or renews the lease of a node. Each time that it is taken the node gets another owner name, under which it holds things: what was held under the one
 * before can so be let go of while the node lives.
 *
 * ```text
 * KEYS  1 lease: '<owner>\n<about>'  2 registry: a hash of owners that were not reaped, each with its node
 * ARGV  1 node  2 about  3 ms until the lease lapses  4 owner that the node thinks it is, or ''  5 owner, should it be taken
 * reply 1 if it was renewed, 0 if it was taken
 * ```
 */
export const RENEW_NODE: Script = script(`#!lua flags=allow-oom
local held = redis.call('GET', KEYS[1])
local is_own = held and ARGV[4] ~= '' and string.sub(held, 1, #ARGV[4] + 1) == ARGV[4] .. '\\n'
local owner = is_own and ARGV[4] or ARGV[5]
redis.call('SET', KEYS[1], owner .. '\\n' .. ARGV[2], 'PX', ARGV[3])
redis.call('HSET', KEYS[2], owner, ARGV[1])
return is_own and 1 or 0
`)
