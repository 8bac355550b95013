/** The members of what was read from JSON: of anything but an object, none. */
export function membersOf(value: unknown): Partial<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? value : {}
}

/** Whether a member is text. */
export function isText(value: unknown): value is string {
  return typeof value === 'string'
}
