import { script } from '../script.js'
import type { Script } from '../shard.js'

/**
 * Adds to one share of a counter.
 *
 * ```text
 * KEYS  1 counter: a hash of shares
 * ARGV  1 whose share  2 how much  3 what the sum must not pass, '': no matter
 * reply {sum, share}, or false when it would pass
 * ```
 */
export const ADD_TO_COUNTER: Script = script(`#!lua flags=allow-oom
local sum, share, by = 0, 0, tonumber(ARGV[2])
local shares = redis.call('HGETALL', KEYS[1])
for index = 1, #shares, 2 do
  local amount = tonumber(shares[index + 1])
  sum = sum + amount
  if shares[index] == ARGV[1] then share = amount end
end
if by > 0 and ARGV[3] ~= '' and sum + by > tonumber(ARGV[3]) then return false end
local new = math.max(share + by, 0)
if new == 0 then redis.call('HDEL', KEYS[1], ARGV[1])
else redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', new)) end
return {sum - share + new, new}
`)
