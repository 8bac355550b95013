/** A field of messages that names the user who sent them: the members on the way to it. */
export type IdentityField = readonly string[]

/** Fields that one rule may declare. */
const FIELDS_MAX = 8

/** Names of members, with points between them. */
const FIELD = /^[^.\p{Cc}]{1,64}(?:\.[^.\p{Cc}]{1,64}){0,7}$/u

/**
 * Reads the fields of a rule, such as `author.id`.
 *
 * @throws RangeError that says what they must be.
 */
export function readIdentityFields(fields: readonly string[]): readonly IdentityField[] {
  if (fields.length < 1 || fields.length > FIELDS_MAX || !fields.every((field) => FIELD.test(field)))
    throw new RangeError(`must be 1 to ${FIELDS_MAX} fields of data such as user or author.id`)
  return fields.map((field) => field.split('.'))
}

/**
 * The first field in which `data` names anybody but `user`; undefined when there is none. A field that is not there names nobody; one that holds anything but this
 * text, or whose way leads through what is no object, names another.
 */
export function findForeign(fields: readonly IdentityField[], data: unknown, user: string): string | undefined {
  return fields.find((field) => namesAnother(field, data, user))?.join('.')
}

function namesAnother(field: IdentityField, data: unknown, user: string): boolean {
  let value = data
  for (const [depth, name] of field.entries()) {
    // What is no object at all has no fields; a part of it that is none stands where one was declared.
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return depth > 0
    if (!Object.hasOwn(value, name)) return false
    value = (value as Readonly<Record<string, unknown>>)[name]
  }
  return value !== user
}

const QUOTE = 34
const BACKSLASH = 92

/**
 * Whether an object in this JSON text names a member twice: then two readers may see two values, and one that was checked need not be the one that is shown.
 * One pass, without recursion.
 */
export function hasTwins(text: string): boolean {
  const open: Set<string>[] = []
  let at = 0
  let last = ''
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(text, at)
      last = text.slice(at, end)
      at = end
      continue
    }
    // Text between quotes is skipped, so that these stand for themselves.
    if (code === 123 || code === 91) open.push(new Set())
    else if (code === 125 || code === 93) open.pop()
    else if (code === 58) {
      const name = last.includes('\\') ? (JSON.parse(last) as string) : last.slice(1, -1)
      const names = open.at(-1)
      if (names?.has(name)) return true
      names?.add(name)
    }
    at += 1
  }
  return false
}

/** Behind the closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at + 1
}
