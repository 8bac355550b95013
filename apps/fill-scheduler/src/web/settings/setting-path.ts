/** Some settings as a form has them: plain objects in plain objects. */
export type Members = { readonly [name: string]: unknown }

/** What stands at a path like `changeover.sameTypeHours`; undefined where nothing does. */
export function at(settings: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) => (isMembers(value) && Object.hasOwn(value, name) ? value[name] : undefined),
      settings,
    )
}

/** Settings with something else at a path; undefined takes it away, and with it what is empty then. */
export function withAt<T extends object>(settings: T, path: string, value: unknown): T {
  const [name = '', ...rest] = path.split('.')
  const { [name]: before, ...others } = settings as Members
  const after = rest.length === 0 ? value : withAt(isMembers(before) ? before : {}, rest.join('.'), value)
  const isGone = after === undefined || (rest.length > 0 && isMembers(after) && Object.keys(after).length === 0)
  return (isGone ? others : { ...others, [name]: after }) as T
}

/** A plain value as a field shows it; what is none is empty. */
export function fieldValue(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
