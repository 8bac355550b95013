import { script } from '../script.js'
import type { Script } from '../shard.js'
import { ANNOUNCING } from './announcing.js'

/**
 * Reads a log, and creates nothing: that works also on a server that is out of memory.
 *
 * ```text
 * KEYS  1 top  2 log  3 state
 * ARGV  1 generation, or ''  2 lowest offset  3 offset below which  4 messages at most  5 bytes of data at most  6 'oldest' or 'newest'
 * reply false where there is no log of this generation or a later one, else
 *       {epoch, newest offset, its id, first offset stored, 1 if what lies below went by age, state version or '', state,
 *        offset, body, offset, body ...}, beginning with the end that survives the limit; a body is '' where the entry is not ours
 * ```
 */
export const READ: Script = script(`#!lua flags=no-writes
local stood = redis.call('HMGET', KEYS[1], 'e', 'o', 'i', 'g', 'x')
if not stood[1] or (stood[4] or '') < ARGV[1] then return false end
local newest = tonumber(stood[2])
local first = math.max(newest - redis.call('XLEN', KEYS[2]) + 1, 1)
local aged = tonumber(stood[5] or '0')
if redis.call('EXISTS', KEYS[2]) == 0 then aged = newest end
local state = redis.call('HMGET', KEYS[3], 'v', 'd')
local page = {stood[1], newest, stood[3], first, first - 1 == aged and 1 or 0, state[1] or '', state[2] or ''}

local lowest = math.max(tonumber(ARGV[2]), first)
local highest = math.min(tonumber(ARGV[3]) - 1, newest)
local left, bytes, upwards = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == 'oldest'
-- In portions, so that what the bytes exclude is not fetched first.
while left > 0 and lowest <= highest do
  local from, to = string.format('%.0f-0', lowest), string.format('%.0f-0', highest)
  local count = math.min(left, 100)
  local found
  if upwards then found = redis.call('XRANGE', KEYS[2], from, to, 'COUNT', count)
  else found = redis.call('XREVRANGE', KEYS[2], to, from, 'COUNT', count) end
  for _, entry in ipairs(found) do
    local offset, rest = string.match(entry[1], '^(%d+)(.*)$')
    local body = entry[2][2]
    -- What somebody else has written is told as an empty body: no message of ours is as long, or stands elsewhere.
    if rest ~= '-0' or entry[2][1] ~= 'm' or #body > 17825792 then body = '' end
    bytes = bytes - (#body - (string.find(body, '\\n', 1, true) or 0))
    if bytes < 0 and #page > 7 then return page end
    page[#page + 1] = offset
    page[#page + 1] = body
    if upwards then lowest = tonumber(offset) + 1 else highest = tonumber(offset) - 1 end
  end
  if #found < count then break end
  left = left - count
end
return page
`)

/**
 * Where a log stands; keeps its epoch from ending by age.
 *
 * ```text
 * KEYS  1 top
 * ARGV  1 generation, or ''  2 ms without a publish until the messages expire
 * reply false where there is no log of this generation or a later one, else {epoch, newest offset, its id}
 * ```
 */
export const TOP: Script = script(`#!lua flags=allow-oom
local stood = redis.call('HMGET', KEYS[1], 'e', 'o', 'i', 'g')
if not stood[1] or (stood[4] or '') < ARGV[1] then return false end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', tonumber(ARGV[2]) * 2))
return {stood[1], tonumber(stood[2]), stood[3]}
`)

/**
 * Begins a log where there is none, and ends one of an earlier generation.
 *
 * ```text
 * KEYS  1 top  2 log  3 live
 * ARGV  1 generation, or ''  2 epoch, should one begin  3 ms without a publish until messages expire
 * reply {epoch in force}
 * ```
 */
export const BEGIN: Script = script(`#!lua
${ANNOUNCING}
local stood = redis.call('HMGET', KEYS[1], 'e', 'g')
if stood[1] and (stood[2] or '') >= ARGV[1] then return {stood[1]} end
if stood[1] then announce_rotation(KEYS[3], ARGV[2]) end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'e', ARGV[2], 'o', '0', 'i', '', 'g', ARGV[1])
redis.call('PEXPIRE', KEYS[1], integer(tonumber(ARGV[3]) * 2))
return {ARGV[2]}
`)

/**
 * Ends an epoch, if it still is the one that is meant.
 *
 * ```text
 * KEYS  1 top  2 log  3 live
 * ARGV  1 generation, or ''  2 epoch that is to end  3 epoch that is to begin
 * reply {epoch in force, or '' where there is no log}
 * ```
 */
export const ROTATE: Script = script(`#!lua flags=allow-oom
${ANNOUNCING}
local stood = redis.call('HMGET', KEYS[1], 'e', 'g')
if stood[1] ~= ARGV[2] then return {stood[1] or ''} end
local generation = stood[2] or ''
if ARGV[1] > generation then generation = ARGV[1] end
redis.call('DEL', KEYS[2])
redis.call('HDEL', KEYS[1], 'x')
redis.call('HSET', KEYS[1], 'e', ARGV[3], 'o', '0', 'i', '', 'g', generation)
announce_rotation(KEYS[3], ARGV[3])
return {ARGV[3]}
`)
