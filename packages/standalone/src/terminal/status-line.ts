import type { OutputStream } from '../shell.js'

const ERASE_LINE_END = '\u001B[K'
const ERASE_BELOW = '\u001B[J'
/** A line down and up again: scrolls where the cursor stands on the last line, and keeps its column (ECMA-48, 8.3.59 CUU; DEC IND). */
const ROOM_BELOW = '\u001BD\u001B[A'
const SAVE_CURSOR = '\u001B7'
const RESTORE_CURSOR = '\u001B8'

/** The last line of a terminal, below output that goes on. */
export interface StatusLine {
  /** Output. The line is out of its way and comes back below it. */
  write(text: string): void
  /** Replaces the line. It must not be wider than the terminal. */
  draw(line: string): void
  /** Takes the line away, or leaves `last` in its place; what is written next begins a line. */
  end(last?: string): void
}

/** A status line on a terminal. While output stands in the middle of a line, such as a question, the cursor stays behind it and the line below. */
export function createStatusLine(stream: OutputStream): StatusLine {
  let drawn = ''
  let place: Place = 'fresh'
  let held = ''
  // Output that was returned to its beginning is drawn over by what follows, perhaps not all of it: it stays.
  const erased = (): string => {
    if (drawn === '') return ''
    if (place === 'fresh') return `\r${ERASE_LINE_END}`
    return place === 'open' ? ERASE_BELOW : `${SAVE_CURSOR}\r\n${ERASE_LINE_END}${RESTORE_CURSOR}`
  }
  // Whoever answers a question ends its line, and the cursor stands where the status line was: it is erased wherever the cursor is.
  const shown = (line: string): string => {
    if (line === '') return ''
    if (place === 'fresh') return `\r${line}${ERASE_LINE_END}`
    const cleared = place === 'open' ? ERASE_BELOW : ''
    return `${cleared}${ROOM_BELOW}${SAVE_CURSOR}\r\n${line}${ERASE_LINE_END}${RESTORE_CURSOR}`
  }
  return {
    write(chunk) {
      const text = held + chunk
      held = unfinishedEnd(text)
      const whole = text.slice(0, text.length - held.length)
      if (whole === '') return
      const before = erased()
      place = placeAfter(whole)
      stream.write(before + whole + shown(drawn))
    },
    draw(line) {
      if (line === drawn) return
      const before = line === '' ? erased() : ''
      drawn = line
      stream.write(before + shown(line))
    },
    end(last = '') {
      const text = erased() + held + (place === 'fresh' && held === '' ? '' : '\r\n')
      stream.write(text + (last === '' ? '' : `${last}\n`))
      drawn = ''
      held = ''
      place = 'fresh'
    },
  }
}

/** Where output stands: at the beginning of a line, in the middle of one, or back at the beginning of one that is not empty. */
type Place = 'fresh' | 'open' | 'returned'

function placeAfter(text: string): Place {
  if (text.endsWith('\n')) return 'fresh'
  return text.endsWith('\r') ? 'returned' : 'open'
}

/** The beginning of an escape sequence at the end: nothing may be written into the middle of it. */
function unfinishedEnd(text: string): string {
  return /\u001B(?:\[[0-9;?]{0,32}|\][^\u0007\u001B]{0,256})?$/.exec(text)?.[0] ?? ''
}
