import { script } from '../script.js'
import type { Script } from '../shard.js'

/**
 * An index: `order`, a sorted set of its members by their scores, and `ends`, a sorted set of them by the time when each ends. Members of one score stand in the order of
 * their bytes. `prune` removes what has ended, a portion at each call; what is left over of it is in nobody's way but the next call's.
 */
const INDEX = `
local order, ends = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function integer(number)
  return string.format('%.0f', number)
end
local function is_live(member)
  return tonumber(redis.call('ZSCORE', ends, member) or '0') > now
end
local function drop(members)
  if #members == 0 then return end
  redis.call('ZREM', order, unpack(members))
  redis.call('ZREM', ends, unpack(members))
end
local function prune()
  drop(redis.call('ZRANGEBYSCORE', ends, '-inf', integer(now), 'LIMIT', 0, 500))
end
`

/**
 * Enters a member or moves it.
 *
 * ```text
 * KEYS  1 order  2 ends
 * ARGV  1 member  2 score  3 ms until it ends  4 members at most: beyond it the one that ends next goes
 * reply 1
 * ```
 */
export const PUT_INDEXED: Script = script(`#!lua
${INDEX}
prune()
local life = tonumber(ARGV[3])
redis.call('ZADD', order, ARGV[2], ARGV[1])
redis.call('ZADD', ends, integer(now + life), ARGV[1])
if redis.call('ZCARD', ends) > tonumber(ARGV[4]) then drop(redis.call('ZRANGE', ends, 0, 0)) end
if redis.call('PTTL', ends) < life then
  redis.call('PEXPIRE', ends, integer(life))
  redis.call('PEXPIRE', order, integer(life))
end
return 1
`)

/**
 * Removes a member.
 *
 * ```text
 * KEYS  1 order  2 ends
 * ARGV  1 member
 * reply 1 if it was there, else 0
 * ```
 */
export const REMOVE_INDEXED: Script = script(`#!lua flags=allow-oom
${INDEX}
local was_there = is_live(ARGV[1])
drop({ARGV[1]})
prune()
return was_there and 1 or 0
`)

/**
 * Members in order, without what has ended. Where `after` is not there, its place is found by halving among those of its score; bytes are compared one by one, because
 * how Lua compares texts depends on the locale of the server.
 *
 * ```text
 * KEYS  1 order  2 ends
 * ARGV  1 lowest score  2 highest score  3 1: downwards, else upwards  4 members at most  5 score of after, '': there is none  6 member of after
 * reply {member, score, member ...}
 * ```
 */
export const RANGE_INDEXED: Script = script(`#!lua flags=no-writes
${INDEX}
local function is_before(one, other)
  for at = 1, math.min(#one, #other) do
    local a, b = string.byte(one, at), string.byte(other, at)
    if a ~= b then return a < b end
  end
  return #one < #other
end
-- How many stand before a member of this score, and whether it is there itself.
local function place_of(score, member)
  local low = redis.call('ZCOUNT', order, '-inf', '(' .. score)
  local high = low + redis.call('ZCOUNT', order, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local found = redis.call('ZRANGE', order, middle, middle)[1]
    if found == member then return middle, true end
    if is_before(found, member) then low = middle + 1 else high = middle end
  end
  return low, false
end
local is_down, left = ARGV[3] == '1', tonumber(ARGV[4])
local first = redis.call('ZCOUNT', order, '-inf', '(' .. ARGV[1])
local last = redis.call('ZCOUNT', order, '-inf', ARGV[2]) - 1
if ARGV[5] ~= '' then
  local place, is_there = place_of(ARGV[5], ARGV[6])
  if is_down then last = math.min(last, place - 1) else first = math.max(first, is_there and place + 1 or place) end
end
local reply = {}
while left > 0 and first <= last do
  local portion = math.min(left, 1000)
  local from = is_down and math.max(first, last - portion + 1) or first
  local to = is_down and last or math.min(last, first + portion - 1)
  local found = redis.call('ZRANGE', order, from, to, 'WITHSCORES')
  for at = is_down and #found - 1 or 1, is_down and 1 or #found, is_down and -2 or 2 do
    if is_live(found[at]) then
      reply[#reply + 1] = found[at]
      reply[#reply + 1] = found[at + 1]
      left = left - 1
    end
  end
  if is_down then last = from - 1 else first = to + 1 end
end
return reply
`)
