import { script } from '../script.js'
import type { Script } from '../shard.js'
import { ANNOUNCING } from './announcing.js'

/**
 * The hashes of a channel's members: `members` by '<user>\n<session>' with '<owner>\n<connection>', and `users` by user with '<connections>\n<info>', and
 * under '' the version, which outlives them for an hour. A user is JSON text, which holds no line break.
 */
const MEMBERS = `
${ANNOUNCING}
local members, users, live = KEYS[1], KEYS[2], KEYS[3]
local function present(user)
  local held = redis.call('HGET', users, user)
  if not held then return 0, '' end
  local line = string.find(held, '\\n', 1, true)
  return tonumber(string.sub(held, 1, line - 1)), string.sub(held, line + 1)
end
local function tell(user, before, own, info, changed)
  local version = tonumber(redis.call('HGET', users, '') or '0')
  local all, people = redis.call('HLEN', members), math.max(redis.call('HLEN', users) - 1, 0)
  if changed then
    version = version + 1
    redis.call('HSET', users, '', integer(version))
    if people == 0 then redis.call('PEXPIRE', users, 3600000) end
    announce_member(live, version, before, own, people, all, user, info)
  end
  return {(changed or people > 0) and version or 0, before, own, people, all, changed and 1 or 0, info}
end
local function remove(user, field)
  local before, info = present(user)
  redis.call('HDEL', members, field)
  if before > 1 then redis.call('HSET', users, user, integer(before - 1) .. '\\n' .. info) else redis.call('HDEL', users, user) end
  return tell(user, before, math.max(before - 1, 0), info, true)
end
`

/**
 * Somebody is there, with one more connection or with other information.
 *
 * ```text
 * KEYS  1 members  2 users  3 live
 * ARGV  1 user  2 session  3 connection  4 owner  5 info, or ''
 * reply {version, connections before, connections, members, all connections, 1 if changed, info, 1 if it was not this owner's}
 * ```
 */
export const ENTER: Script = script(`#!lua
${MEMBERS}
local user, field, info = ARGV[1], ARGV[1] .. '\\n' .. ARGV[2], ARGV[5]
local held = redis.call('HGET', members, field)
local before, told = present(user)
local own = held and math.max(before, 1) or before + 1
local changed = not held or told ~= info
redis.call('HSET', members, field, ARGV[4] .. '\\n' .. ARGV[3])
-- Versions begin with the time, so that they rise also over a channel that was forgotten.
local filled = redis.call('HLEN', users)
if filled == 0 then
  local now = redis.call('TIME')
  redis.call('HSET', users, '', integer(now[1] * 1000000 + now[2]))
elseif filled == 1 then
  redis.call('PERSIST', users)
end
if changed then redis.call('HSET', users, user, integer(own) .. '\\n' .. info) end
local reply = tell(user, before, own, info, changed)
local is_held = held and string.sub(held, 1, #ARGV[4] + 1) == ARGV[4] .. '\\n'
reply[8] = is_held and 0 or 1
return reply
`)

/**
 * A connection leaves, if the entry still is its own.
 *
 * ```text
 * KEYS  1 members  2 users  3 live
 * ARGV  1 user  2 session  3 connection
 * reply as of ENTER, without the last
 * ```
 */
export const LEAVE: Script = script(`#!lua flags=allow-oom
${MEMBERS}
local user, field = ARGV[1], ARGV[1] .. '\\n' .. ARGV[2]
local held = redis.call('HGET', members, field)
if held and string.sub(held, (string.find(held, '\\n', 1, true)) + 1) == ARGV[3] then return remove(user, field) end
local before, info = present(user)
return tell(user, before, before, info, false)
`)

/**
 * Lets go of what an owner holds in a channel, a portion at a time.
 *
 * ```text
 * KEYS  1 members  2 users  3 live
 * ARGV  1 owner  2 cursor  3 entries to look at
 * reply the cursor to go on with, '0' at the end
 * ```
 */
export const LET_GO: Script = script(`#!lua flags=allow-oom
${MEMBERS}
local found = redis.call('HSCAN', members, ARGV[2], 'COUNT', ARGV[3])
local owned = ARGV[1] .. '\\n'
for index = 1, #found[2], 2 do
  local field, held = found[2][index], found[2][index + 1]
  if string.sub(held, 1, #owned) == owned and redis.call('HGET', members, field) == held then
    remove(string.sub(field, 1, string.find(field, '\\n', 1, true) - 1), field)
  end
end
return found[1]
`)

/**
 * Who is there.
 *
 * ```text
 * KEYS  1 members  2 users
 * ARGV  1 users at most
 * reply {version, members, all connections, user, '<connections>\n<info>', user ...}
 * ```
 */
export const LIST_MEMBERS: Script = script(`#!lua flags=no-writes
local people = math.max(redis.call('HLEN', KEYS[2]) - 1, 0)
local version = people > 0 and tonumber(redis.call('HGET', KEYS[2], '') or '0') or 0
local reply = {version, people, redis.call('HLEN', KEYS[1])}
local left, cursor, seen = tonumber(ARGV[1]), '0', {}
while left > 0 do
  local found = redis.call('HSCAN', KEYS[2], cursor, 'COUNT', math.min(left + 1, 1000))
  cursor = found[1]
  for index = 1, #found[2], 2 do
    local user = found[2][index]
    if user ~= '' and left > 0 and not seen[user] then
      seen[user] = true
      left = left - 1
      reply[#reply + 1] = user
      reply[#reply + 1] = found[2][index + 1]
    end
  end
  if cursor == '0' then break end
end
return reply
`)
