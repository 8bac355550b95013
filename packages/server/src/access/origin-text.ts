/** Characters of the longest origin that is looked at: no name of a host is longer (RFC 1035, 2.3.4). */
export const ORIGIN_CHARACTERS_MAX = 253

/** An origin in parts, in lower case, without the port that its scheme has anyway. */
export interface Origin {
  /** As it is compared: `https://app.example.com`, `https://app.example.com:8443`, or `null`. */
  readonly text: string
  /** Empty for `null`. */
  readonly scheme: string
  /** A name, an address, or an IPv6 address in brackets; empty for `null`. */
  readonly host: string
  /** Empty where it is the scheme's own. */
  readonly port: string
}

/** What a page has that belongs to no site: a file, a sandboxed frame (HTML standard, 7.1.1). */
const OPAQUE: Origin = { text: 'null', scheme: '', host: '', port: '' }

/** Scheme, host, port and at most one slash. No user, path, query, fragment, and no dot at the end of the host. */
const FORM = /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::([1-9]\d{0,4}))?\/?$/i

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' }

/**
 * Reads an origin as a browser sends it (RFC 6454, 6.2). Scheme and host lose their case, the scheme's own port and one slash at the end are left out, and
 * nothing else is forgiven: what a URL parser would repair is undefined here. Names of other scripts are compared as they are sent, in Punycode.
 */
export function readOrigin(text: string): Origin | undefined {
  if (text === OPAQUE.text) return OPAQUE
  if (text.length > ORIGIN_CHARACTERS_MAX) return undefined
  const parts = FORM.exec(text)
  if (parts === null) return undefined
  const [, givenScheme = '', givenHost = '', given = ''] = parts
  if (Number(given) > 65_535) return undefined
  // Only letters of ASCII passed, so that no other letter turns into one of them.
  const [scheme, host] = [givenScheme.toLowerCase(), givenHost.toLowerCase()]
  const port = given === DEFAULT_PORTS[scheme] ? '' : given
  return { text: writeOrigin(scheme, host, port), scheme, host, port }
}

/** The same origin one label up, `https://example.com` for `https://app.example.com`; undefined where there is none. */
export function parentOf({ scheme, host, port }: Origin): string | undefined {
  const dot = host.indexOf('.')
  return dot < 0 || host.startsWith('[') ? undefined : writeOrigin(scheme, host.slice(dot + 1), port)
}

function writeOrigin(scheme: string, host: string, port: string): string {
  return `${scheme}://${host}${port === '' ? '' : `:${port}`}`
}
