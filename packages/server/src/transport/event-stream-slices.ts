/** Where a value stands in a JSON text: from its first character to behind its last. */
interface Slice {
  readonly start: number
  readonly end: number
}

/**
 * The texts of the elements of the array that is `member` of a JSON object, exactly as they stand there: parsing and printing would change what a sender has encoded.
 * The text has to be valid JSON; without the member there are none.
 */
export function elementTexts(json: string, member: string): string[] {
  const array = memberOf(json, member)
  return array === undefined ? [] : valuesIn(json, array.start).map(({ start, end }) => json.slice(start, end))
}

/** The text of a member of a JSON object, exactly as it stands there; undefined without it. */
export function memberText(json: string, member: string): string | undefined {
  const slice = memberOf(json, member)
  return slice && json.slice(slice.start, slice.end)
}

function memberOf(json: string, member: string): Slice | undefined {
  const parts = valuesIn(json, json.indexOf('{'))
  const at = parts.findIndex(({ start, end }, index) => index % 2 === 0 && json.slice(start, end) === `"${member}"`)
  return at < 0 ? undefined : parts[at + 1]
}

/** The values directly inside the array or object that opens at `open`; of an object, names and values in turn. */
function valuesIn(json: string, open: number): Slice[] {
  const values: Slice[] = []
  let start = -1
  let end = -1
  for (let at = open + 1; at < json.length;) {
    const character = json[at] ?? ''
    const isEnd = character === ',' || character === ':' || character === ']' || character === '}'
    if (isEnd && start >= 0) {
      values.push({ start, end })
      start = -1
    }
    if (character === ']' || character === '}') break
    if (isEnd || /\s/.test(character)) {
      at += 1
      continue
    }
    if (start < 0) start = at
    at = end = endOf(json, at)
  }
  return values
}

/** Behind the value, or the character of a number or word, at `at`. */
function endOf(json: string, at: number): number {
  const character = json[at]
  if (character === '"') return endOfText(json, at)
  if (character !== '{' && character !== '[') return at + 1
  let depth = 0
  for (let next = at; next < json.length; next += 1) {
    if (json[next] === '"') next = endOfText(json, next) - 1
    else if (json[next] === '{' || json[next] === '[') depth += 1
    else if (json[next] === '}' || json[next] === ']') depth -= 1
    if (depth === 0) return next + 1
  }
  return json.length
}

function endOfText(json: string, at: number): number {
  for (let next = at + 1; next < json.length; next += 1) {
    if (json[next] === '\\') next += 1
    else if (json[next] === '"') return next + 1
  }
  return json.length
}
