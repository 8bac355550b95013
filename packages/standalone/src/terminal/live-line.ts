import type { OutputStream } from '../shell.js'

const ERASE_TO_END = '\u001B[K'

/** A line of a terminal that is drawn over in place. */
export interface LiveLine {
  /** Replaces what is drawn. The text must not be wider than the terminal. */
  draw(text: string): void
  /** Leaves what is drawn where it is; what is written next begins a line. */
  end(): void
}

/** A live line on a terminal. */
export function createLiveLine(stream: OutputStream): LiveLine {
  let drawn = ''
  return {
    draw(text) {
      if (text === drawn) return
      stream.write(`\r${text}${ERASE_TO_END}`)
      drawn = text
    },
    end() {
      if (drawn !== '') stream.write('\n')
      drawn = ''
    },
  }
}
