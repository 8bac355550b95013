import { script } from '../script.js'
import type { Script } from '../shard.js'

const GROUP = 'holdfast'

/**
 * Takes the next reports, if this node is the one that reads or nobody is. What another node had and did not finish comes first, in order, and then what is new: so whatever is
 * handed out, everything before it is done. Nobody else can read in between, because the lease is held in the same step.
 *
 * ```text
 * KEYS  1 left  2 reader
 * ARGV  1 node  2 ms until its lease lapses  3 reports at most  4 bytes of a field that are handed out  5 fields of a report that are  6 bytes of all reports
 * reply {0} when another node reads, else {1, reports that are not done yet, newest entry that was ever handed out, {entry, {field, value, field ...}} ...}
 * ```
 */
export const TAKE_REPORTS: Script = script(`#!lua flags=allow-oom
local left, reader, node, most = KEYS[1], KEYS[2], ARGV[1], ARGV[3]
local holder = redis.call('GET', reader)
if holder and holder ~= node then return {0} end
redis.call('SET', reader, node, 'PX', ARGV[2])

-- Where nobody leaves anything, nothing is made.
if redis.call('EXISTS', left) == 0 then return {1, 0, '0-0'} end

local function claim()
  return redis.pcall('XAUTOCLAIM', left, '${GROUP}', node, '0', '0-0', 'COUNT', most)
end
-- A group that is new begins with what was left before there was a node.
local function claim_in_group()
  local claimed = claim()
  if not (claimed.err and string.find(claimed.err, 'NOGROUP', 1, true)) then return claimed end
  redis.call('XGROUP', 'CREATE', left, '${GROUP}', '0')
  return claim()
end
local function table_of(flat)
  local named = {}
  for at = 1, #flat, 2 do named[flat[at]] = flat[at + 1] end
  return named
end
local function dismiss_others()
  for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', left, '${GROUP}')) do
    local consumer = table_of(flat)
    if consumer.name ~= node and consumer.pending == 0 then
      redis.call('XGROUP', 'DELCONSUMER', left, '${GROUP}', consumer.name)
    end
  end
end
local function newest()
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', left)) do
    local group = table_of(flat)
    if group.name == '${GROUP}' then return group['last-delivered-id'] end
  end
  return '0-0'
end

local claimed = claim_in_group()
while not claimed.err and #claimed[2] == 0 and claimed[1] ~= '0-0' do claimed = claim() end
if claimed.err then return redis.error_reply(claimed.err) end
local entries = claimed[2]
if #entries == 0 then
  dismiss_others()
  local read = redis.call('XREADGROUP', 'GROUP', '${GROUP}', node, 'COUNT', most, 'STREAMS', left, '>')
  entries = read and read[1][2] or {}
end

local reply = {1, redis.call('XLEN', left), newest()}
local field_max, fields_max, room = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
for _, entry in ipairs(entries) do
  local fields = {}
  for at = 1, math.min(#entry[2], fields_max * 2) do
    fields[at] = string.sub(entry[2][at], 1, field_max)
    room = room - #fields[at]
  end
  reply[#reply + 1] = {entry[1], fields}
  if room <= 0 then break end
end
return reply
`)

/**
 * Reports are done, and everything before them. They go.
 *
 * ```text
 * KEYS  1 left  2 reader
 * ARGV  1 node  2... entries, in order
 * reply 1, or 0 when another node reads now: it has got the same reports
 * ```
 */
export const FINISH_REPORTS: Script = script(`#!lua flags=allow-oom
local left, node = KEYS[1], ARGV[1]
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= node then return 0 end
local last = ARGV[#ARGV]
for from = 2, #ARGV, 1000 do redis.call('XACK', left, '${GROUP}', unpack(ARGV, from, math.min(from + 999, #ARGV))) end
redis.call('XTRIM', left, 'MINID', '=', last)
redis.call('XDEL', left, last)
return 1
`)

/**
 * Keeps a report that was refused, under its own entry. One that is not newer than the newest is there already.
 *
 * ```text
 * KEYS  1 refused
 * ARGV  1 entry  2 reports that are kept, about  3 ms that they are kept  4... field, value, field ...
 * reply 1, or 0 when it was there
 * ```
 */
export const REFUSE_REPORT: Script = script(`#!lua flags=allow-oom
local added = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], ARGV[1], unpack(ARGV, 4))
if type(added) == 'table' and added.err then
  if string.find(added.err, 'equal or smaller', 1, true) then return 0 end
  return redis.error_reply(added.err)
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`)
