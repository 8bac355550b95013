/** Escape sequences (ECMA-48, 5.4: CSI; OSC up to its end), and what else moves the cursor without being text. */
const ESCAPES =
  // oxlint-disable-next-line no-control-regex
  /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\^_=>78])|[\u0000-\u0008\u000E-\u001A\u001C-\u001F\u007F]/g

/** Of a line that never ends so much is kept, its end. */
const CHARACTERS_MAX = 4_096

/** A line of output. */
export interface OutputLine {
  /** Without escape sequences. Never blank. */
  readonly text: string
  /** There may be more of it, which comes as the same line again, longer. Figures at its end are left out: they may not be whole. */
  readonly isOpen: boolean
}

/** Takes text as it comes, and gives the lines that it holds: those it ended, and what there is of the last one. A carriage return ends a line, too: what follows is drawn over it. */
export interface OutputLines {
  take(text: string): readonly OutputLine[]
}

/** Lines of one stream. */
export function createOutputLines(): OutputLines {
  let open = ''
  return {
    take(text) {
      const parts = (open + text).split(/[\r\n]+/)
      open = (parts.pop() ?? '').slice(-CHARACTERS_MAX)
      const lines = parts.map((part) => ({ text: plain(part), isOpen: false }))
      return [...lines, { text: plain(open).replace(/[\d.,/]+$/, ''), isOpen: true }].filter(
        (line) => line.text.trim() !== '',
      )
    },
  }
}

function plain(line: string): string {
  return line.slice(-CHARACTERS_MAX).replace(ESCAPES, '').trimEnd()
}
