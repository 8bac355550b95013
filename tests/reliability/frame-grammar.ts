import { COMMANDS } from '@holdfast/protocol'
import type { SeededRandom } from '../kit/seeded-random.js'

const TEXT = 1
const CONTINUATION = 0
const BINARY = 2
const CLOSE = 8
const FINAL = 0x80

const CHANNELS = [
  'room:steady',
  'room:a',
  'room:__proto__',
  'constructor:prototype',
  'user:fuzz',
  'operation:x',
  'operation:..',
  `room:${'x'.repeat(220)}`,
  `room:${'x'.repeat(221)}`,
  'room:é',
  'room:%41',
  '__proto__',
  ':',
  '',
]

/** JSON texts that programs stumble over. */
const ODD_VALUES = [
  'null',
  'true',
  '-0',
  '1e999',
  '9007199254740993',
  '-1',
  '0.1',
  '""',
  '"\\ud800"',
  '"\\u0000"',
  '"__proto__"',
  '[]',
  '{}',
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"toString":1,"valueOf":2,"hasOwnProperty":3}',
  '"newest:9999"',
  '"newest:-1"',
  '{"epoch":"__proto__","offset":1}',
  '{"epoch":"x","offset":9007199254740991,"id":"x"}',
  '{"session":"x","secret":"y","positions":{"room:a":{"epoch":"e","offset":0}}}',
]

const WORDS = ['__proto__', 'constructor', 'prototype', 'toString', 'type', 'id', 'then', 'length', '\u0000', 'é', '𝔾']

/** Makes frames as clients send them, and as nobody should: by a grammar of the commands, then mutated. */
export class FrameGrammar {
  readonly #random: SeededRandom

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /** The bytes of one message: a frame, sometimes in fragments, sometimes against RFC 6455. */
  frame(): Buffer {
    const payload = this.#payload()
    const random = this.#random
    if (random.once(12)) return this.#fragments(payload)
    if (random.once(60)) return encode(FINAL | random.pick([9, 10]), payload.subarray(0, 125), random)
    // Rare, because a connection ends with them and what follows is not read.
    if (random.once(300)) return encode(FINAL | CLOSE, this.#closePayload(), random)
    if (random.once(200)) return this.#broken(payload)
    return encode(FINAL | (random.once(400) ? BINARY : TEXT), payload, random)
  }

  /** UTF-8, which a text frame must be, and no longer than the server takes. */
  #payload(): Buffer {
    return Buffer.from(Buffer.from(this.#content().toString('utf8')).subarray(0, 65_000).toString('utf8'))
  }

  #content(): Buffer {
    const random = this.#random
    const kind = random.fraction()
    if (kind < 0.35) return Buffer.from(this.#command())
    if (kind < 0.75) return this.#mutate(Buffer.from(this.#command()))
    if (kind < 0.82) return Buffer.from(this.#lines())
    if (kind < 0.88) return Buffer.from(this.#nesting())
    if (kind < 0.91) return Buffer.from(this.#manyMembers())
    return this.#garbage()
  }

  #command(): string {
    const type = this.#random.once(10) ? this.#random.pick(WORDS) : this.#random.pick(Object.keys(COMMANDS))
    const members = [`"type":${JSON.stringify(type)}`]
    if (!this.#random.once(3)) members.push(`"id":${this.#random.between(0, 1_000)}`)
    for (const [name, make] of Object.entries(MEMBERS)) {
      if (this.#random.once(3))
        members.push(`"${name}":${this.#random.once(5) ? this.#oddValue() : make(this.#random)}`)
    }
    if (this.#random.once(8)) members.push(`${JSON.stringify(this.#random.pick(WORDS))}:${this.#oddValue()}`)
    return `{${members.join(',')}}`
  }

  #oddValue(): string {
    return this.#random.pick(ODD_VALUES)
  }

  #lines(): string {
    const count = this.#random.once(6) ? this.#random.between(60, 2_000) : this.#random.between(2, 20)
    return Array.from({ length: count }, () => (this.#random.once(4) ? '' : this.#command())).join('\n')
  }

  #nesting(): string {
    const depth = this.#random.pick([30, 33, 500, 20_000])
    const [open, close] = this.#random.pick([
      ['[', ']'],
      ['{"a":', '}'],
      ['[{"__proto__":', '}]'],
    ])
    const inside = `${open?.repeat(depth)}1${this.#random.once(2) ? close?.repeat(depth) : ''}`
    return `{"type":"publish","channel":"room:a","data":${inside}}`
  }

  #manyMembers(): string {
    const members = Array.from({ length: this.#random.pick([250, 260, 5_000]) }, (_, index) => `"k${index}":0`)
    return `{"type":"publish","channel":"room:a","data":{${members.join(',')}}}`
  }

  #garbage(): Buffer {
    return Buffer.from(Array.from({ length: this.#random.between(0, 300) }, () => this.#random.between(0, 255)))
  }

  #mutate(bytes: Buffer): Buffer {
    let mutated = bytes
    for (let times = this.#random.between(1, 4); times > 0; times -= 1) mutated = this.#mutateOnce(mutated)
    return mutated
  }

  #mutateOnce(bytes: Buffer): Buffer {
    const at = this.#random.between(0, bytes.length)
    const to = this.#random.between(at, Math.min(bytes.length, at + 20))
    const [before, middle, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)]
    return this.#random.pick([
      () => Buffer.concat([before, after]),
      () => Buffer.concat([before, middle, middle, after]),
      () => Buffer.concat([before, Buffer.from([this.#random.between(0, 255)]), middle, after]),
      () => Buffer.concat([before, Buffer.from(this.#random.pick(['"', '}', '{', ',', ':', '\\', '\n'])), after]),
      () => Buffer.concat([before, Buffer.from(this.#oddValue()), after]),
      () => before,
    ])()
  }

  #fragments(payload: Buffer): Buffer {
    const at = this.#random.between(0, payload.length)
    const parts = [encode(TEXT, payload.subarray(0, at), this.#random)]
    if (this.#random.once(3)) parts.push(encode(FINAL | 9, Buffer.from('between'), this.#random))
    parts.push(encode(FINAL | CONTINUATION, payload.subarray(at), this.#random))
    return Buffer.concat(parts)
  }

  #closePayload(): Buffer {
    return Buffer.concat([Buffer.from([3, this.#random.between(0xe0, 0xff)]), this.#garbage().subarray(0, 20)])
  }

  /** Against the standard: the connection ends here. */
  #broken(payload: Buffer): Buffer {
    const random = this.#random
    return random.pick([
      () => encode(FINAL | 0x40 | TEXT, payload, random),
      () => encode(FINAL | random.pick([3, 7, 11, 15]), payload, random),
      () => encode(9, payload, random),
      () => encode(FINAL | 9, Buffer.alloc(126), random),
      () => encode(FINAL | CONTINUATION, payload, random),
      () => encode(FINAL | CLOSE, Buffer.from([1]), random),
      () => encode(FINAL | TEXT, Buffer.alloc(70_000, 0x61), random),
      () => encode(FINAL | TEXT, Buffer.from([0xff, 0xfe]), random),
      () => Buffer.from([FINAL | TEXT, 0x05, 1, 2, 3, 4, 5]),
      () => Buffer.from([FINAL | TEXT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
    ])()
  }
}

const text = (value: string): string => JSON.stringify(value)

/** The members of commands, and a value that each of them may have. */
const MEMBERS: Readonly<Record<string, (random: SeededRandom) => string>> = {
  channel: (random) => text(random.pick(CHANNELS)),
  event: (random) => text(random.pick(['message', 'typing', '*', 'gap', '__proto__'])),
  data: (random) => random.pick([...ODD_VALUES, '{"text":"hello"}', '[1,2,3]']),
  key: (random) => text(`k${random.between(0, 20)}`),
  since: (random) => random.pick(['"newest:10"', '{"epoch":"e","offset":3}', '{"epoch":"e","offset":0,"id":""}']),
  before: () => '{"epoch":"e","offset":3}',
  limit: (random) => String(random.between(0, 1_001)),
  presence: (random) => random.pick(['true', 'false', '{"info":{"name":"f"}}']),
  offset: (random) => String(random.between(0, 100)),
  operation: (random) => text(random.pick(['x', '..', '__proto__'])),
  method: (random) => text(random.pick(['toString', '__proto__', 'index'])),
  timeout: (random) => String(random.between(0, 400_000)),
  token: () => text('a.b.c'),
  at: (random) => String(random.between(0, 100)),
}

/** A masked frame with any first byte and any length. */
function encode(first: number, payload: Buffer, random: SeededRandom): Buffer {
  const mask = Buffer.from([0, 0, 0, 0].map(() => random.between(0, 255)))
  const masked = Buffer.from(payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0)))
  return Buffer.concat([header(first, payload.length), mask, masked])
}

function header(first: number, length: number): Buffer {
  if (length < 126) return Buffer.from([first, 0x80 | length])
  if (length < 65_536) return Buffer.from([first, 0x80 | 126, length >> 8, length & 0xff])
  const long = Buffer.alloc(10)
  long.writeUInt16BE((first << 8) | 0x80 | 127, 0)
  long.writeBigUInt64BE(BigInt(length), 2)
  return long
}
