/**
 * Lua functions that build announcements; they stand in front of the scripts that announce. `announcement.ts` reads what they write:
 *
 * ```text
 * m<epoch> <offset>\n<body>     a message; epoch empty and offset 0 where nothing is stored
 * p<before> <connections> <members> <all connections> <version>\n<user as JSON text>\n<info as JSON text, or nothing>
 * r<epoch>                      the epoch ended, this one began
 * s<head>\n<data>               a signal; no script announces one. head = {"event","from","at"} as JSON text
 * ```
 *
 * body = `<head>\n<data>`, as it is stored, with head = {"id","event","from","at","final"?} as JSON text. JSON text that `JSON.stringify` wrote holds
 * no line break, so the first one ends the head.
 */
export const ANNOUNCING: string = `
local function announce(channel, payload)
  return redis.call('SPUBLISH', channel, payload)
end
local function integer(number)
  return string.format('%.0f', number)
end
local function message_payload(epoch, offset, body)
  return 'm' .. epoch .. ' ' .. integer(offset) .. '\\n' .. body
end
local function members_payload(before, connections, members, all, version, user, info)
  return 'p' .. integer(before) .. ' ' .. integer(connections) .. ' ' .. integer(members) .. ' ' .. integer(all) .. ' ' .. integer(version)
    .. '\\n' .. user .. '\\n' .. info
end
local function rotated_payload(epoch)
  return 'r' .. epoch
end
`
