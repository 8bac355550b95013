/** A time as it is kept: 24 characters, UTC. @throws RangeError when it is none. */
export function instant(time: string): string {
  return new Date(time).toISOString()
}

/**
 * Parameters of a statement as databases take them. No text that is kept holds the character NUL: PostgreSQL refuses it, and libSQL would cut the text off there. So who looks
 * for one finds nothing. @throws Error for a statement that would keep one.
 */
export function parametersOf(statement: string, parameters: readonly unknown[]): unknown[] {
  const keeps = !/^(?:select|delete)\b/i.test(statement)
  return parameters.map((value) => {
    if (typeof value !== 'string' || !value.includes('\0')) return value
    if (keeps) throw new Error('a text to be stored must not contain the character NUL')
    return value.replaceAll('\0', '\uFFFD')
  })
}

/** What JSON text says; the store wrote it itself. */
export function fromJson<T>(text: string): T {
  return JSON.parse(text) as T
}

/** The members that are not null. */
export function present<T extends object>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null)) as {
    [K in keyof T]?: NonNullable<T[K]>
  }
}

/** Why something failed, of a row; nothing when it did not. */
export function errorOf(row: { readonly errorCode: string | null; readonly errorMessage: string | null }): {
  readonly error?: { readonly code: string; readonly message: string }
} {
  return row.errorCode === null ? {} : { error: { code: row.errorCode, message: row.errorMessage ?? '' } }
}

/** A name as searches compare it: databases differ in what they take for the same letter. */
export function folded(name: string): string {
  return name.normalize('NFKC').toLowerCase()
}

/** The pattern of `like … escape '\'` for texts that contain `part`. */
export function containing(part: string): string {
  return `%${part.replace(/[\\%_]/g, '\\$&')}%`
}
