import type { HttpMethod, Route } from './route.js'

/** Where a request leads: to a route, or to an address that takes other methods, or nowhere. */
export type Match =
  | { readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly allowed: readonly string[] }

interface Placed {
  readonly route: Route
  readonly segments: readonly string[]
}

/** Finds the route of a path. Segments are decoded once and compared whole: what decodes to a slash separates nothing. */
export class RouteMap {
  readonly #placed: readonly Placed[]

  constructor(routes: readonly Route[]) {
    this.#placed = routes
      .map((route) => ({ route, segments: route.path.slice(1).split('/') }))
      // What is spelled out comes before what may be anything.
      .sort((one, other) => namesIn(one) - namesIn(other))
  }

  /** `path` begins behind the prefix of the API, with a slash. Undefined: there is nothing. */
  find(method: string, path: string): Match | undefined {
    const segments = decode(path)
    const here = segments === undefined ? [] : this.#placed.filter((placed) => fits(placed, segments))
    // Of several patterns the most exact one is meant, whatever it takes.
    const [first] = here
    if (first === undefined || segments === undefined) return undefined
    const same = here.filter(({ route }) => route.path === first.route.path)
    const wanted = method === 'HEAD' ? 'GET' : method
    const found = same.find(({ route }) => route.method === wanted)
    if (found === undefined) return { allowed: allowed(same.map(({ route }) => route.method)) }
    return { route: found.route, params: paramsOf(found, segments) }
  }
}

function namesIn({ segments }: Placed): number {
  return segments.filter(isName).length
}

function isName(segment: string): boolean {
  return segment.startsWith('{')
}

function fits({ segments }: Placed, actual: readonly string[]): boolean {
  return segments.length === actual.length && segments.every((segment, at) => isName(segment) || segment === actual[at])
}

function paramsOf({ segments }: Placed, actual: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    segments.flatMap((segment, at) => (isName(segment) ? [[segment.slice(1, -1), actual[at] ?? '']] : [])),
  )
}

function decode(path: string): readonly string[] | undefined {
  try {
    return path.slice(1).split('/').map(decodeURIComponent)
  } catch {
    return undefined
  }
}

function allowed(methods: readonly HttpMethod[]): readonly string[] {
  return [...methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])), 'OPTIONS']
}
