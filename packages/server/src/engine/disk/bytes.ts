const INITIAL_BYTES = 65_536

/** A text of this many UTF-16 units has at most 126 bytes in UTF-8: its length fits one byte and need not be measured first. */
const SHORT_TEXT = 42

/** Writes numbers and texts into a buffer that grows. What `bytes` answered is overwritten after `clear`. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES)
  #length = 0

  /** Bytes written. */
  get length(): number {
    return this.#length
  }

  /** What was written since the last `clear`; not a copy. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Begins anew. A buffer that one large text made large is given back. */
  clear(): void {
    this.#length = 0
    if (this.#buffer.length > INITIAL_BYTES * 64) this.#buffer = Buffer.allocUnsafe(INITIAL_BYTES)
  }

  /** Leaves room for `count` bytes, to be filled in later, and answers where it begins. */
  reserve(count: number): number {
    this.#grow(count)
    const at = this.#length
    this.#length += count
    return at
  }

  byte(value: number): void {
    this.#grow(1)
    this.#buffer[this.#length++] = value
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, the lowest first. What is beyond is taken for the nearest of them. */
  number(value: number): void {
    this.#grow(8)
    let rest = Math.min(Math.max(Math.floor(value), 0), Number.MAX_SAFE_INTEGER)
    while (rest >= 128) {
      this.#buffer[this.#length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#length++] = rest
  }

  /** Any number, in the 8 bytes of IEEE 754, the lowest first. */
  double(value: number): void {
    this.#grow(8)
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
  }

  /** UTF-8, its length in bytes before it. */
  text(value: string): void {
    if (value.length <= SHORT_TEXT) {
      this.#grow(1 + value.length * 3)
      const written = this.#buffer.write(value, this.#length + 1)
      this.#buffer[this.#length] = written
      this.#length += 1 + written
      return
    }
    const bytes = Buffer.byteLength(value)
    this.number(bytes)
    this.#grow(bytes)
    this.#length += this.#buffer.write(value, this.#length)
  }

  #grow(count: number): void {
    if (this.#length + count <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + count))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}

/** Reads back what a `ByteWriter` wrote. Throws RangeError beyond the end. */
export class ByteReader {
  readonly #buffer: Buffer
  readonly #end: number
  #at: number

  constructor(buffer: Buffer, start: number = 0, end: number = buffer.length) {
    this.#buffer = buffer
    this.#at = start
    this.#end = end
  }

  byte(): number {
    if (this.#at >= this.#end) throw new RangeError('there are no more bytes')
    return this.#buffer[this.#at++]!
  }

  number(): number {
    let [value, scale] = [0, 1]
    for (;;) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }

  double(): number {
    if (this.#at + 8 > this.#end) throw new RangeError('there are no more bytes')
    this.#at += 8
    return this.#buffer.readDoubleLE(this.#at - 8)
  }

  text(): string {
    const start = this.#at
    const bytes = this.number()
    const from = this.#at
    if (from + bytes > this.#end) throw new RangeError(`the text at ${start} ends beyond the end`)
    this.#at = from + bytes
    return this.#buffer.toString('utf8', from, this.#at)
  }
}
