/** The first code unit that UTF-8 does not keep in order: from here on are the halves of surrogate pairs, and what UTF-8 puts before those pairs. */
const SHIFTED_FROM = 0xd800
const SHIFTED_TO = 0x10000

const NEEDS_SHIFT = /[\uD800-\uFFFF]/

/**
 * A key as a member of a sorted set, such that the bytes of members have the order of the code units of keys, and two keys are never one member: code units from U+D800 on
 * stand as one code point each, beyond U+FFFF. Keys of other characters, all of ASCII among them, are as they were.
 */
export function encodeMember(key: string): string {
  if (!NEEDS_SHIFT.test(key)) return key
  let member = ''
  for (let at = 0; at < key.length; at += 1) {
    const unit = key.charCodeAt(at)
    member += String.fromCodePoint(unit < SHIFTED_FROM ? unit : unit - SHIFTED_FROM + SHIFTED_TO)
  }
  return member
}

/** The other half of `encodeMember`. */
export function decodeMember(member: string): string {
  if (!NEEDS_SHIFT.test(member)) return member
  let key = ''
  for (const character of member) {
    const point = character.codePointAt(0) ?? 0
    key += String.fromCharCode(point < SHIFTED_TO ? point : point - SHIFTED_TO + SHIFTED_FROM)
  }
  return key
}
