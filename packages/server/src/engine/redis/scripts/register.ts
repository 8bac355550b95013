import { script } from '../script.js'
import type { Script } from '../shard.js'

/**
 * A register: `ends`, a sorted set of its keys by the time when each ends, and `entries`, a hash with '<amount> <rank> <value>' by key, and the sum of the amounts under
 * '' (a key is JSON text, which is never empty). `prune` removes what has ended, a portion at each call: entries are counted by their time, and so exactly; the amounts of
 * more than a portion that ended at once are counted until the next calls.
 */
const REGISTER = `
local ends, entries = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Adding 0 makes -0 an integer, too.
local function integer(number)
  return string.format('%.0f', number + 0)
end
local function amount_of(key)
  return tonumber(string.match(redis.call('HGET', entries, key) or '0', '^-?%d+'))
end
local function drop(key)
  redis.call('HINCRBY', entries, '', integer(-amount_of(key)))
  redis.call('HDEL', entries, key)
  redis.call('ZREM', ends, key)
end
local function is_live(key)
  return tonumber(redis.call('ZSCORE', ends, key) or '0') > now
end
local function count()
  return redis.call('ZCOUNT', ends, '(' .. integer(now), '+inf')
end
local function amount()
  return tonumber(redis.call('HGET', entries, '') or '0')
end
local function prune()
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', integer(now), 'LIMIT', 0, 500)) do drop(key) end
  if redis.call('ZCARD', ends) == 0 then redis.call('DEL', entries) end
end
`

/**
 * Enters or replaces an entry.
 *
 * ```text
 * KEYS  1 ends  2 entries
 * ARGV  1 key  2 value  3 amount  4 ms until it ends  5 entries at most, '': as many as come  6 rank
 * reply {entries, amount, 1 if it is new}, where one of a higher rank has the same value that stays, or false when it is new and there are as many
 * ```
 */
export const PUT_ENTRY: Script = script(`#!lua
${REGISTER}
prune()
local key, life = ARGV[1], tonumber(ARGV[4])
local is_new = not is_live(key)
if not is_new then
  local rank, value = string.match(redis.call('HGET', entries, key) or '', '^-?%d+ (%d+) (.*)$')
  if value == ARGV[2] and tonumber(rank) > tonumber(ARGV[6]) then return {count(), amount(), 0} end
end
if is_new and ARGV[5] ~= '' and count() >= tonumber(ARGV[5]) then return false end
redis.call('HINCRBY', entries, '', integer(tonumber(ARGV[3]) - amount_of(key)))
redis.call('HSET', entries, key, ARGV[3] .. ' ' .. ARGV[6] .. ' ' .. ARGV[2])
redis.call('ZADD', ends, integer(now + life), key)
if redis.call('PTTL', ends) < life then
  redis.call('PEXPIRE', ends, integer(life))
  redis.call('PEXPIRE', entries, integer(life))
end
return {count(), amount(), is_new and 1 or 0}
`)

/**
 * Removes an entry.
 *
 * ```text
 * KEYS  1 ends  2 entries
 * ARGV  1 key
 * reply {entries, amount, 1 if it was there}
 * ```
 */
export const REMOVE_ENTRY: Script = script(`#!lua flags=allow-oom
${REGISTER}
local was_there = is_live(ARGV[1])
if was_there then drop(ARGV[1]) end
prune()
return {count(), amount(), was_there and 1 or 0}
`)

/**
 * What a register holds.
 *
 * ```text
 * KEYS  1 ends  2 entries
 * reply {entries, amount}
 * ```
 */
export const TOTAL_ENTRIES: Script = script(`#!lua flags=allow-oom
${REGISTER}
prune()
return {count(), amount()}
`)

/**
 * The entries of a register that end last.
 *
 * ```text
 * KEYS  1 ends  2 entries
 * ARGV  1 entries at most
 * reply {key, '<amount> <rank> <value>', key ...}
 * ```
 */
export const LIST_ENTRIES: Script = script(`#!lua flags=no-writes
${REGISTER}
local reply, left, from = {}, tonumber(ARGV[1]), 0
while left > 0 do
  local portion = math.min(left, 1000)
  local keys = redis.call('ZREVRANGEBYSCORE', ends, '+inf', '(' .. integer(now), 'LIMIT', from, portion)
  if #keys == 0 then break end
  for at, held in ipairs(redis.call('HMGET', entries, unpack(keys))) do
    reply[#reply + 1] = keys[at]
    reply[#reply + 1] = held or '0 0 '
  end
  if #keys < portion then break end
  left, from = left - portion, from + portion
end
return reply
`)
