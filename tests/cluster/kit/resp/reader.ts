import type { RespValue } from './value.js'

/** A whole value with the very bytes that it came as. */
export interface RespFrame {
  readonly value: RespValue
  readonly bytes: Buffer
}

interface Parsed {
  readonly value: RespValue
  readonly end: number
}

/** Marks that more bytes are needed; `atLeast` of them in all, as far as is known. */
interface Short {
  readonly atLeast: number
}

const CR = 13

/** Nested deeper than anything that Redis sends. */
const DEPTH_MAX = 32

/** Cuts a stream of bytes into values of the Redis protocol (RESP2 and RESP3), however the stream is chopped up. */
export class RespReader {
  #held: Buffer = Buffer.alloc(0)
  #atLeast = 0

  /** Bytes that do not make a whole value yet. */
  get held(): Buffer {
    return this.#held
  }

  /** Takes bytes; answers the values that are whole now. @throws SyntaxError for what is no value of the protocol. */
  push(chunk: Buffer): RespFrame[] {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = bytes
    if (bytes.length < this.#atLeast) return []
    const frames: RespFrame[] = []
    let from = 0
    while (from < bytes.length) {
      const parsed = read(bytes, from, 0)
      if ('atLeast' in parsed) {
        this.#atLeast = parsed.atLeast - from
        break
      }
      frames.push({ value: parsed.value, bytes: bytes.subarray(from, parsed.end) })
      from = parsed.end
    }
    this.#held = bytes.subarray(from)
    if (this.#held.length === 0) this.#atLeast = 0
    return frames
  }
}

function read(bytes: Buffer, from: number, depth: number): Parsed | Short {
  if (depth > DEPTH_MAX) throw new SyntaxError(`a value nested deeper than ${DEPTH_MAX}`)
  const lineEnd = bytes.indexOf('\r\n', from)
  // A lone CR at the end may be the first half of the line's end.
  if (lineEnd < 0) return { atLeast: bytes.length + (bytes.at(-1) === CR ? 1 : 2) }
  const kind = String.fromCharCode(bytes[from] ?? 0)
  const text = bytes.toString('utf8', from + 1, lineEnd)
  const end = lineEnd + 2
  switch (kind) {
    case '+':
      return { value: { kind: 'simple', text }, end }
    case '-':
      return { value: { kind: 'error', text }, end }
    case ':':
    case ',':
    case '(':
    case '#':
      return { value: { kind: 'number', text }, end }
    case '_':
      return { value: { kind: 'null' }, end }
    case '$':
    case '=':
    case '!':
      return readBulk(bytes, kind, lengthOf(text), end)
    case '*':
    case '~':
      return readItems(bytes, 'list', lengthOf(text), end, depth)
    case '>':
      return readItems(bytes, 'push', lengthOf(text), end, depth)
    case '%':
      return readItems(bytes, 'map', lengthOf(text) * 2, end, depth)
    case '|':
      return readAttributed(bytes, lengthOf(text) * 2, end, depth)
    default:
      throw new SyntaxError(`no value of the Redis protocol begins with ${JSON.stringify(kind)}`)
  }
}

function lengthOf(text: string): number {
  const length = Number(text)
  if (!Number.isSafeInteger(length) || length < -1) throw new SyntaxError(`no length: ${JSON.stringify(text)}`)
  return length
}

function readBulk(bytes: Buffer, kind: string, length: number, from: number): Parsed | Short {
  if (length === -1) return { value: { kind: 'null' }, end: from }
  const end = from + length + 2
  if (end > bytes.length) return { atLeast: end }
  const content = bytes.subarray(from, from + length)
  if (kind === '!') return { value: { kind: 'error', text: content.toString('utf8') }, end }
  // A verbatim string names its format in its first four bytes.
  return { value: { kind: 'bulk', bytes: kind === '=' ? content.subarray(4) : content }, end }
}

function readItems(
  bytes: Buffer,
  kind: 'list' | 'push' | 'map',
  count: number,
  from: number,
  depth: number,
): Parsed | Short {
  if (count < 0) return { value: { kind: 'null' }, end: from }
  const items: RespValue[] = []
  let at = from
  while (items.length < count) {
    const item: Parsed | Short = at < bytes.length ? read(bytes, at, depth + 1) : { atLeast: at + 3 }
    if ('atLeast' in item) return item
    items.push(item.value)
    at = item.end
  }
  return { value: { kind, items }, end: at }
}

/** Attributes stand before the value that they belong to; nobody here asks for them. */
function readAttributed(bytes: Buffer, count: number, from: number, depth: number): Parsed | Short {
  const attributes = readItems(bytes, 'map', count, from, depth)
  if ('atLeast' in attributes) return attributes
  if (attributes.end >= bytes.length) return { atLeast: attributes.end + 3 }
  return read(bytes, attributes.end, depth + 1)
}
