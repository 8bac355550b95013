import { scanCommand } from '@holdfast/protocol'
import { ApiRefusal } from './api-error.js'

/** What bounds the text of a body before it is parsed. */
export interface JsonLimits {
  /** Nesting of arrays and objects. */
  readonly jsonDepthMax: number
  /** Members of one object. */
  readonly objectKeysMax: number
}

/** A body: what it says, and the text of each member that is called `data`, by its path: `data`, `messages[3].data`. */
export interface JsonText {
  readonly value: unknown
  readonly data: ReadonlyMap<string, string>
}

/** How deep members are told apart by their paths. Below stands what applications send, which is theirs. */
const OWN_DEPTH_MAX = 3

/**
 * Reads JSON that two readers could not understand differently: bounded before it is parsed, no member twice where a member means something to us.
 *
 * @throws ApiRefusal `bad_request` that says what is wrong, and where.
 */
export function readJsonText(text: string, limits: JsonLimits): JsonText {
  const scan = scanCommand(text, limits)
  // The scan also finds `data` twice; the walk below says it of every member.
  if ('problem' in scan && !scan.problem.startsWith('names data')) throw refuse(`the body ${scan.problem}`)
  const value = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuse('the body must be a JSON object')
  const walk = new Walk(text)
  walk.value('', 0)
  return { value, data: walk.data }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    // What engines say of it quotes the text, which may hold secrets; where it is wrong is enough.
    const at = /position (\d+)/.exec((error as Error).message)?.[1]
    throw refuse(at === undefined ? 'the body is not JSON' : `the body is not JSON from character ${at} on`)
  }
}

function refuse(message: string, field?: string): ApiRefusal {
  return new ApiRefusal('bad_request', message, { field })
}

/** One pass over text that is known to be JSON and not too deep. */
class Walk {
  readonly data: Map<string, string> = new Map()
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Passes one value. */
  value(path: string, depth: number): void {
    this.#space()
    const first = this.#text[this.#at]
    if (first === '{') this.#object(path, depth)
    else if (first === '[') this.#array(path, depth)
    else if (first === '"') this.#string()
    else this.#plain()
  }

  #object(path: string, depth: number): void {
    const names = new Set<string>()
    this.#at += 1
    for (this.#space(); this.#text[this.#at] !== '}'; this.#separator()) {
      const text = this.#string()
      this.#space()
      this.#at += 1
      if (depth >= OWN_DEPTH_MAX) this.value(path, depth)
      else this.#member(path, JSON.parse(text) as string, { names, depth })
    }
    this.#at += 1
  }

  #member(of: string, name: string, { names, depth }: { readonly names: Set<string>; readonly depth: number }): void {
    const path = of === '' ? name : `${of}.${name}`
    if (names.has(name)) throw refuse(`${path} stands twice in the body`, path)
    names.add(name)
    this.#space()
    const start = this.#at
    this.value(path, name === 'data' ? OWN_DEPTH_MAX : depth + 1)
    if (name === 'data') this.data.set(path, this.#text.slice(start, this.#at))
  }

  #array(path: string, depth: number): void {
    this.#at += 1
    this.#space()
    for (let index = 0; this.#text[this.#at] !== ']'; index += 1) {
      this.value(depth < OWN_DEPTH_MAX ? `${path}[${index}]` : path, Math.min(depth + 1, OWN_DEPTH_MAX))
      this.#separator()
    }
    this.#at += 1
  }

  #string(): string {
    const start = this.#at
    for (this.#at += 1; this.#text[this.#at] !== '"'; this.#at += 1) if (this.#text[this.#at] === '\\') this.#at += 1
    this.#at += 1
    return this.#text.slice(start, this.#at)
  }

  #plain(): void {
    const plain = /[^\s,\]}]*/y
    plain.lastIndex = this.#at
    plain.exec(this.#text)
    this.#at = plain.lastIndex
  }

  /** What stands behind a member or an item: a comma, or the end, which stays. */
  #separator(): void {
    this.#space()
    if (this.#text[this.#at] === ',') this.#at += 1
    this.#space()
  }

  #space(): void {
    while (' \n\r\t'.includes(this.#text[this.#at] ?? '-')) this.#at += 1
  }
}
