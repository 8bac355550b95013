import { script } from '../script.js'
import type { Script } from '../shard.js'

/**
 * Takes tokens from a bucket. The key lives for as long as the bucket takes to fill: what is left of its life is what is missing in it, so that the clock of the
 * server ages it, and a full bucket is no key. Of a life in whole milliseconds the value keeps the exact length, and the life that it was given.
 *
 * ```text
 * KEYS  1 bucket: '<exact ms until full> <ms of life>'
 * ARGV  1 tokens  2 tokens in a second  3 tokens in a full bucket
 * reply 0, or the ms until there are as many
 * ```
 */
export const TAKE_TOKENS: Script = script(`#!lua flags=allow-oom
local held = redis.call('GET', KEYS[1])
local missing = 0
if held then
  local exact, life = string.match(held, '^(%S+) (%S+)$')
  local passed = tonumber(life) - redis.call('PTTL', KEYS[1])
  missing = math.max(tonumber(exact) - math.max(passed, 0), 0)
end
local wanted = missing + tonumber(ARGV[1]) * 1000 / tonumber(ARGV[2])
local full = tonumber(ARGV[3]) * 1000 / tonumber(ARGV[2])
-- What floating point loses is no reason.
if wanted > full + 1e-6 then return math.ceil(wanted - full) end
local life = math.ceil(wanted)
if life > 0 then redis.call('SET', KEYS[1], string.format('%.17g %.0f', wanted, life), 'PX', string.format('%.0f', life)) end
return 0
`)
