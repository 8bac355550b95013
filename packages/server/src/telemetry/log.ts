/** Where log lines go. A pino logger fits. Fields never hold a credential, a query string or message data. */
export interface Logger {
  debug(fields: Record<string, unknown>, message: string): void
  info(fields: Record<string, unknown>, message: string): void
  warn(fields: Record<string, unknown>, message: string): void
  error(fields: Record<string, unknown>, message: string): void
}

/** Says nothing: the default of the library. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** What may be written of an unknown error: its name, message and code. */
export function errorFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = (error as { code?: unknown }).code
  return { error: error.name, reason: error.message, ...(code === undefined ? {} : { code }) }
}
