import { script } from '../script.js'
import type { Script } from '../shard.js'

/**
 * Takes or renews a lease.
 *
 * ```text
 * KEYS  1 lease
 * ARGV  1 holder  2 ms until it lapses
 * reply 1, or 0 when another holds it
 * ```
 */
export const HOLD_LEASE: Script = script(`#!lua flags=allow-oom
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`)

/**
 * Gives a lease back, if it is the holder's.
 *
 * ```text
 * KEYS  1 lease
 * ARGV  1 holder
 * ```
 */
export const RELEASE_LEASE: Script = script(`#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`)
