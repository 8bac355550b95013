import type { OutputStream } from '../shell.js'

const ERASE_LINE_END = '\u001B[K'
const ERASE_BELOW = '\u001B[J'
const up = (lines: number): string => (lines > 0 ? `\u001B[${lines}A` : '')

/** Lines at the end of a terminal that are drawn over in place. */
export interface LiveBlock {
  /** Replaces what is drawn. No line may be wider than the terminal, and there must not be more of them than it has rows. */
  draw(lines: readonly string[]): void
  /** Leaves what is drawn where it is; what is written next begins a line. */
  end(): void
}

/** A live block on a terminal. */
export function createLiveBlock(stream: OutputStream): LiveBlock {
  let drawn: readonly string[] = []
  return {
    draw(lines) {
      if (lines.length === drawn.length && lines.every((line, at) => line === drawn[at])) return
      const text = lines.map((line) => line + ERASE_LINE_END).join('\n')
      stream.write(`${up(drawn.length - 1)}\r${text}${lines.length < drawn.length ? ERASE_BELOW : ''}`)
      drawn = lines
    },
    end() {
      if (drawn.length > 0) stream.write('\n')
      drawn = []
    },
  }
}
