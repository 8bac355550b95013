import { type Logger, pino } from 'pino'
import type { Configuration } from './configuration.js'
import { printable } from './terminal/text-width.js'

/** Where log lines go: standard error, or whatever a test puts in its place. */
export interface LogStream {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

/**
 * A logger that writes JSON lines, or one readable line each where `format` is `pretty` or the stream is a terminal.
 */
export function createLog(options: Configuration['log'], stream: LogStream): Logger {
  const pretty = options.format === 'pretty' || (options.format === 'auto' && stream.isTTY === true)
  const write = pretty ? (line: string) => stream.write(prettyLine(line)) : (line: string) => stream.write(line)
  return pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write })
}

/** A JSON log line as people read it: time of day, level, message, the other fields as `name=value`. */
export function prettyLine(json: string): string {
  const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>
  const label = pino.levels.labels[Number(level)] ?? 'info'
  const rest = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const parts = [String(time).slice(11, 23), label.padEnd(5), typeof msg === 'string' ? msg : '', ...rest]
  return `${printable(parts.join(' '))}\n`
}
