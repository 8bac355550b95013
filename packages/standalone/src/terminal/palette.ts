import type { OutputStream } from '../shell.js'

type Paint = (text: string) => string

/** Colours for text; where colours are not wanted, each gives the text back as it is. */
export interface Palette {
  readonly bold: Paint
  readonly dim: Paint
  readonly red: Paint
  readonly green: Paint
  readonly yellow: Paint
  readonly cyan: Paint
}

const paint =
  (on: number, off: number): Paint =>
  (text) =>
    text === '' ? '' : `\u001B[${on}m${text}\u001B[${off}m`

const same: Paint = (text) => text

const COLOURS: Palette = {
  bold: paint(1, 22),
  dim: paint(2, 22),
  red: paint(31, 39),
  green: paint(32, 39),
  yellow: paint(33, 39),
  cyan: paint(36, 39),
}

/** Text as it is. */
export const PLAIN: Palette = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same }

/** The colours of a stream: on a terminal, unless `NO_COLOR` is set; `FORCE_COLOR` asks for them everywhere, and `FORCE_COLOR=0` nowhere. */
export function paletteOf(stream: OutputStream, env: NodeJS.ProcessEnv): Palette {
  const forced = env['FORCE_COLOR']
  if (forced) return forced === '0' || forced === 'false' ? PLAIN : COLOURS
  return isLive(stream, env) && !env['NO_COLOR'] ? COLOURS : PLAIN
}

/** Whether lines of a stream can be drawn over. */
export function isLive(stream: OutputStream, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}
