const MARK = 'bench:'
const MARK_BYTES = Buffer.from(MARK)
const DIGITS = 10
const ZERO = 0x30

/** A text of `bytes` bytes that carries `sequence`, from 0 to 9,999,999,999. */
export function numberedText(sequence: number, bytes: number): string {
  return `${MARK}${String(sequence).padStart(DIGITS, '0')}:`.padEnd(bytes, 'x')
}

/** Finds every numbered text between `start` and `end` and hands out its sequence. Returns how many there were. */
export function readSequences(
  buffer: Buffer,
  start: number,
  end: number,
  onSequence: (sequence: number) => void,
): number {
  let found = 0
  let at = buffer.indexOf(MARK_BYTES, start)
  while (at !== -1 && at + MARK.length + DIGITS <= end) {
    onSequence(readDigits(buffer, at + MARK.length))
    found++
    at = buffer.indexOf(MARK_BYTES, at + MARK.length + DIGITS)
  }
  return found
}

function readDigits(buffer: Buffer, at: number): number {
  let value = 0
  for (let index = at; index < at + DIGITS; index++) value = value * 10 + ((buffer[index] ?? ZERO) - ZERO)
  return value
}
