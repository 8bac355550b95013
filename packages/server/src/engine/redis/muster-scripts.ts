import { script } from './script.js'
import type { Script } from './shard.js'
import { ANNOUNCING } from './scripts/announcing.js'

// What the scripts below keep, for each shard:
//
//   marks    a hash: n number of the newest mark, d number of the newest mark at which somebody was found gone, g generation,
//            s server under which the marks are made, z the server that held nothing when it was mustered for, v milliseconds that count towards lapsing, t when the newest mark was made
//   members  a hash: who makes marks, each with v at its newest mark
//   tags     a hash: the newest marks by number, each with its random tag
//   muster   a hash: s server that is mustered for, c<who> how often each showed that it is coming, r<who> what each reports, v the verdict, once there is one

/** Tags that are kept: one who comes back finds out up to where history is the one it knew. */
const TAGS_MAX = 1_024

const INTEGER = `
local function integer(number)
  return string.format('%.0f', number)
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
-- Generations are compared as text, so they have one length. They grow, also when one was lost: hence the time. The first is the same everywhere.
local FIRST = string.format('%016.0f', 1)
local function generation_after(generation)
  return generation == '' and FIRST or string.format('%016.0f', math.max(now, tonumber(generation) + 1))
end
`

/**
 * Leaves a mark: whatever this node was told before it is stored wherever the mark is. A member that has made none for a while is gone. Time in which nobody
 * made a mark does not count: then it was the server that stood still.
 *
 * ```text
 * KEYS  1 marks  2 members  3 tags  4 muster
 * ARGV  1 who  2 tag  3 number of the newest mark that it knows  4 server  5 generation that it knows, or ''
 *       6 ms between marks  7 ms after which a member is gone  8 '1': leaves for good
 * reply {number, d, generation, 1 where a muster waits for its verdict, member, member ...}
 * ```
 */
export const MARK: Script = script(`#!lua flags=allow-oom
${INTEGER}
local marks, members, tags, muster = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local stood = redis.call('HMGET', marks, 'n', 'd', 'g', 'v', 't')
local known = tonumber(ARGV[3])
local number, gone = math.max(tonumber(stood[1] or '0'), known) + 1, tonumber(stood[2] or ARGV[3])
local generation = stood[3] or ''
if ARGV[5] > generation then generation = ARGV[5] end
if generation == '' then generation = FIRST end
local passed = math.min(math.max(now - tonumber(stood[5] or integer(now)), 0), tonumber(ARGV[6]) * 1.5)
local clock = tonumber(stood[4] or '0') + passed
if not stood[1] then redis.call('HSET', marks, 's', ARGV[4]) end

redis.call('HSET', tags, integer(number), ARGV[2])
redis.call('HDEL', tags, integer(number - ${TAGS_MAX}))
if ARGV[8] == '1' then
  redis.call('HDEL', members, ARGV[1])
  gone = number
else
  redis.call('HSET', members, ARGV[1], integer(clock))
end
local here = {}
local held = redis.call('HGETALL', members)
for index = 1, #held, 2 do
  if clock - tonumber(held[index + 1]) > tonumber(ARGV[7]) then
    redis.call('HDEL', members, held[index])
    gone = number
  else
    here[#here + 1] = held[index]
  end
end
redis.call('HSET', marks, 'n', integer(number), 'd', integer(gone), 'g', generation, 'v', integer(clock), 't', integer(now))
local waits = redis.call('HGET', muster, 's') and not redis.call('HGET', muster, 'v')
return {number, gone, generation, waits and 1 or 0, unpack(here)}
`)

const FOR_THIS_SERVER = `
local muster = KEYS[1]
if redis.call('HGET', muster, 's') ~= ARGV[1] then
  redis.call('DEL', muster)
  redis.call('HSET', muster, 's', ARGV[1])
end
`

/**
 * Shows those who muster for a server that one more is coming. A muster for another server is over.
 *
 * ```text
 * KEYS  1 muster
 * ARGV  1 server  2 who  3 ms until all of it is forgotten
 * reply how often it has shown that
 * ```
 */
export const COMING: Script = script(`#!lua flags=allow-oom
${FOR_THIS_SERVER}
redis.call('PEXPIRE', muster, ARGV[3])
return redis.call('HINCRBY', muster, 'c' .. ARGV[2], 1)
`)

/**
 * Reports to the muster for a server. One for another server is over.
 *
 * ```text
 * KEYS  1 muster
 * ARGV  1 server  2 who  3 report  4 ms until all of it is forgotten
 * reply {verdict or '', {who is coming, how often it has shown that, ...}, report, report ...}
 * ```
 */
export const REPORT: Script = script(`#!lua flags=allow-oom
${FOR_THIS_SERVER}
redis.call('HSET', muster, 'r' .. ARGV[2], ARGV[3])
redis.call('PEXPIRE', muster, ARGV[4])
local coming = {}
local reply = {redis.call('HGET', muster, 'v') or '', coming}
local held = redis.call('HGETALL', muster)
for index = 1, #held, 2 do
  local kind = string.sub(held[index], 1, 1)
  if kind == 'r' then
    reply[#reply + 1] = held[index + 1]
  elseif kind == 'c' then
    coming[#coming + 1] = string.sub(held[index], 2)
    coming[#coming + 1] = held[index + 1]
  end
end
return reply
`)

/**
 * Ends a muster. The first verdict holds.
 *
 * ```text
 * KEYS  1 marks  2 members  3 muster
 * ARGV  1 server  2 newest generation that anybody knows, or ''  3 '1': begin another  4 newest mark that anybody knows
 *       5 newest mark that anybody knows at which somebody was found gone  6 '1': the server held nothing
 *       7 and more: who has reported
 * reply the verdict: the generation in force, or '' when the muster is another one
 * ```
 */
export const CONCLUDE: Script = script(`#!lua flags=allow-oom
${INTEGER}
local marks, members, muster = KEYS[1], KEYS[2], KEYS[3]
if redis.call('HGET', muster, 's') ~= ARGV[1] then return '' end
local verdict = redis.call('HGET', muster, 'v')
if verdict then return verdict end
local stood = redis.call('HMGET', marks, 'n', 'd', 'g', 'v')
local generation = stood[3] or ''
if ARGV[2] > generation then generation = ARGV[2] end
if ARGV[3] == '1' or generation == '' then generation = generation_after(generation) end
redis.call('HSET', muster, 'v', generation)
redis.call('HSET', marks, 's', ARGV[1], 'g', generation, 'n', integer(math.max(tonumber(stood[1] or '0'), tonumber(ARGV[4]))),
  'd', integer(math.max(tonumber(stood[2] or '0'), tonumber(ARGV[5]))))
if ARGV[6] == '1' then redis.call('HSET', marks, 'z', ARGV[1]) end
redis.call('DEL', members)
for index = 7, #ARGV do redis.call('HSET', members, ARGV[index], stood[4] or '0') end
return generation
`)

/**
 * Compares logs with what a node was told of them, and ends the epoch of each that lost something of it or tells otherwise. A log that is not there is as
 * good: the next one begins another epoch.
 *
 * ```text
 * KEYS  for each: top, log, live
 * ARGV  for each: epoch, offset, id, how the stored message begins, epoch that is to begin
 * reply 1 for each that was ended, else 0
 * ```
 */
export const VERIFY: Script = script(`#!lua flags=allow-oom
${ANNOUNCING}
local reply = {}
for index = 1, #KEYS / 3 do
  local top, log, live = KEYS[index * 3 - 2], KEYS[index * 3 - 1], KEYS[index * 3]
  local epoch, known, id = ARGV[index * 5 - 4], tonumber(ARGV[index * 5 - 3]), ARGV[index * 5 - 2]
  local head, fresh = ARGV[index * 5 - 1], ARGV[index * 5]
  local stood = redis.call('HMGET', top, 'e', 'o', 'i')
  local is_sound = true
  if stood[1] then
    local newest = tonumber(stood[2])
    if stood[1] ~= epoch or newest < known then
      is_sound = false
    elseif newest == known then
      is_sound = stood[3] == id
    elseif known > 0 then
      local entry = redis.call('XRANGE', log, integer(known) .. '-0', integer(known) .. '-0')[1]
      is_sound = entry and string.sub(entry[2][2], 1, #head) == head or false
    end
  end
  if not is_sound then
    redis.call('DEL', log)
    redis.call('HDEL', top, 'x')
    redis.call('HSET', top, 'e', fresh, 'o', '0', 'i', '')
    announce_rotation(live, fresh)
  end
  reply[index] = is_sound and 0 or 1
end
return reply
`)
