import type { Logger } from '@holdfast/server'
import { systemClock } from '../clock.js'
import type { OutputStream } from './shell.js'

/** Log lines, from the least important. */
const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** Writes each line as one JSON document; below `level` nothing is written. */
export function lineLog(stream: OutputStream, level: (typeof LEVELS)[number]): Logger {
  const write =
    (name: (typeof LEVELS)[number]) =>
    (fields: Record<string, unknown>, message: string): void => {
      if (LEVELS.indexOf(name) < LEVELS.indexOf(level)) return
      const time = new Date(systemClock.now()).toISOString()
      stream.write(`${JSON.stringify({ time, level: name, ...fields, message })}\n`)
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
