import type { Logger } from '@holdfast/server'

/** A line of a log: its level, its message and its fields. */
export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly event?: unknown
  readonly [field: string]: unknown
}

/** Everything that a node wrote, of every level, in order. */
export class LogLines implements Logger {
  readonly lines: Line[] = []

  debug(fields: Record<string, unknown>, message: string): void {
    this.lines.push({ ...fields, level: 'debug', message })
  }

  info(fields: Record<string, unknown>, message: string): void {
    this.lines.push({ ...fields, level: 'info', message })
  }

  warn(fields: Record<string, unknown>, message: string): void {
    this.lines.push({ ...fields, level: 'warn', message })
  }

  error(fields: Record<string, unknown>, message: string): void {
    this.lines.push({ ...fields, level: 'error', message })
  }

  /** The lines of an event that have these fields. */
  of(event: string, fields: Readonly<Record<string, unknown>> = {}): Line[] {
    return this.lines.filter(
      (line) => line.event === event && Object.entries(fields).every(([name, value]) => line[name] === value),
    )
  }

  /** All of it as text, to look for what must not be there. */
  get text(): string {
    return this.lines.map((line) => JSON.stringify(line)).join('\n')
  }
}
