import { script } from '../script.js'
import type { Script } from '../shard.js'

/**
 * Writes a record by compare-and-set.
 *
 * ```text
 * KEYS  1 record
 * ARGV  1 value  2 ms until it expires  3 version that must be stored, '': whatever it is
 * reply the new version, or false
 * ```
 */
export const PUT_RECORD: Script = script(`#!lua
local version = redis.call('HGET', KEYS[1], 'v') or '0'
if ARGV[3] ~= '' and ARGV[3] ~= version then return false end
local next = tonumber(version) + 1
redis.call('HSET', KEYS[1], 'v', string.format('%.0f', next), 'd', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return next
`)

/**
 * Reads and removes a record.
 *
 * ```text
 * KEYS  1 record
 * reply {version, value}, or false
 * ```
 */
export const TAKE_RECORD: Script = script(`#!lua flags=allow-oom
local held = redis.call('HMGET', KEYS[1], 'v', 'd')
if not held[1] then return false end
redis.call('DEL', KEYS[1])
return held
`)
