import { script } from '../script.js'
import type { Script } from '../shard.js'
import { ANNOUNCING } from './announcing.js'

/**
 * One atomic publish: idempotency, state, epoch, offset, append, trim, expiry, announcement.
 *
 * ```text
 * KEYS  1 top  2 log  3 state  4 live  5 idempotency record
 * ARGV  1 body  2 id  3 epoch, should one begin  4 generation, or ''
 *       5 messages kept, 0: nothing is stored  6 ms without a publish until they expire
 *       7 fingerprint, '': no key  8 ms until the key is forgotten
 *       9 state version that is replaced, '': no state  10 new state  11 ms until the state expires
 *       12 '1': weigh the log
 *       13 epoch in which messages are settled, or ''  14 up to which offset
 * top   e epoch  o newest offset  i its id  g generation  x offset up to which the log went by age
 *       b bytes of data in the log, kept from the first message on that asked for it
 * reply {'published', epoch, offset, id, epoch that began or '', bytes of data in the log or ''}
 *       {'duplicate', '<epoch> <offset> <id>'}  {'idempotency_conflict'}  {'state_conflict'}
 * ```
 *
 * Nothing is written before the last refusal, and a server that is out of memory refuses the script as a whole.
 */
export const PUBLISH: Script = script(`#!lua
${ANNOUNCING}
local top, log, state, live, record = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
-- Of a log that was never weighed the newest messages say how long its messages are.
local function bytes_of(entry)
  return #entry[2][2] - (string.find(entry[2][2], '\\n', 1, true) or 0)
end
local function estimate(messages)
  local newest, bytes = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 100), 0
  for _, entry in ipairs(newest) do bytes = bytes + bytes_of(entry) end
  return math.ceil(bytes * messages / #newest)
end
local body, id, candidate, generation = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local size, fingerprint, replaces = tonumber(ARGV[5]), ARGV[7], ARGV[9]

if fingerprint ~= '' then
  local earlier = redis.call('GET', record)
  if earlier then
    if string.sub(earlier, 1, #fingerprint) ~= fingerprint then return {'idempotency_conflict'} end
    return {'duplicate', string.sub(earlier, #fingerprint + 2)}
  end
end

if replaces ~= '' and (redis.call('HGET', state, 'v') or '0') ~= replaces then return {'state_conflict'} end

local epoch, offset, began, weight = '', 0, '', nil
if size > 0 then
  local stood = redis.call('HMGET', top, 'e', 'o', 'g', 'b')
  epoch = stood[1]
  if not epoch or (stood[3] or '') < generation then
    began = candidate
    if epoch then announce_rotation(live, began) end
    epoch = began
    redis.call('DEL', top, log)
  else
    offset = tonumber(stood[2])
  end
  local is_there = redis.call('PEXPIRE', log, ARGV[6]) == 1
  if offset > 0 and not is_there then redis.call('HSET', top, 'x', stood[2]) end
  offset = offset + 1
  if ARGV[13] == epoch then size = math.max(1, math.min(size, offset - tonumber(ARGV[14]))) end
  weight = tonumber(stood[4] or '')
  if weight or ARGV[12] == '1' then
    local length = redis.call('XLEN', log)
    local excess = math.max(length + 1 - size, 0)
    if length == 0 then weight = 0
    elseif not weight or excess > 100 then weight = estimate(length - excess)
    elseif excess > 0 then
      for _, entry in ipairs(redis.call('XRANGE', log, '-', '+', 'COUNT', excess)) do weight = weight - bytes_of(entry) end
    end
    weight = math.max(weight, 0) + #body - (string.find(body, '\\n', 1, true) or 0)
  end
  local added = redis.pcall('XADD', log, 'MAXLEN', integer(size), integer(offset) .. '-0', 'm', body)
  if type(added) == 'table' and added.err then
    -- Somebody else has written beyond the top, or in the place of the log: what we know of it is true no more.
    began, epoch, offset, is_there = candidate, candidate, 1, false
    announce_rotation(live, began)
    redis.call('DEL', top, log)
    redis.call('XADD', log, '1-0', 'm', body)
    weight = weight and #body - (string.find(body, '\\n', 1, true) or 0)
  end
  if not is_there then redis.call('PEXPIRE', log, ARGV[6]) end
  if began ~= '' then redis.call('HSET', top, 'e', epoch, 'o', '1', 'i', id, 'g', generation)
  else redis.call('HSET', top, 'o', integer(offset), 'i', id) end
  if weight then redis.call('HSET', top, 'b', integer(weight)) end
  redis.call('PEXPIRE', top, integer(tonumber(ARGV[6]) * 2))
end

if replaces ~= '' then
  redis.call('HSET', state, 'v', integer(tonumber(replaces) + 1), 'd', ARGV[10])
  redis.call('PEXPIRE', state, ARGV[11])
end
if fingerprint ~= '' then
  redis.call('SET', record, fingerprint .. ' ' .. epoch .. ' ' .. integer(offset) .. ' ' .. id, 'PX', ARGV[8])
end
announce_message(live, epoch, offset, body)
return {'published', epoch, offset, id, began, ARGV[12] == '1' and weight or ''}
`)
