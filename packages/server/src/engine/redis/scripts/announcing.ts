/**
 * Lua functions that build announcements, as `announcement.ts` reads them; they stand in front of the scripts that announce. `integer` writes a number without an exponent:
 * offsets have up to 16 digits.
 */
export const ANNOUNCING: string = `
local function integer(number)
  return string.format('%.0f', number)
end
local function announce_message(channel, epoch, offset, body)
  redis.call('SPUBLISH', channel, 'm' .. epoch .. ' ' .. integer(offset) .. '\\n' .. body)
end
local function announce_rotation(channel, epoch)
  redis.call('SPUBLISH', channel, 'r' .. epoch)
end
local function announce_member(channel, version, before, own, members, connections, user, info)
  local numbers = integer(version) .. ' ' .. integer(before) .. ' ' .. integer(own) .. ' ' .. integer(members) .. ' ' .. integer(connections)
  redis.call('SPUBLISH', channel, 'p' .. numbers .. '\\n' .. user .. '\\n' .. info)
end
`
