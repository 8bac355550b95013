/** Members of an object that came from outside; only its own are ever looked at. */
export type Members = Readonly<Record<string, unknown>>

/** A signed token (RFC 7515 3.1), taken apart and not yet verified. */
export interface TokenText {
  /** The whole of it. */
  readonly text: string
  readonly algorithm: string
  /** The name of the key that it asks for. */
  readonly kid: string | undefined
  /** The kind of token that it says it is. */
  readonly type: string | undefined
  readonly claims: Members
}

/** Longer tokens are refused before they are looked at. */
export const TOKEN_CHARACTERS_MAX = 8192

/** One spelling for each sequence of bytes: no padding, and no bits beyond the last byte (RFC 4648 3.5). */
const BASE64URL = /^(?:[\w-]{4})*(?:[\w-]{2}[AEIMQUYcgkosw048]|[\w-][AQgw])?$/

/** Members by which a header would change what is signed, or bring the key along. None is ever followed. */
const REFUSED_MEMBERS = ['crit', 'b64', 'jwk', 'jku', 'x5u', 'x5c']

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Takes a token apart, or says why it cannot be one. An encrypted token, of five parts, is not decoded at all. */
export function readToken(credential: string): TokenText | { readonly problem: string } {
  if (credential.length > TOKEN_CHARACTERS_MAX) return { problem: 'too long' }
  const parts = credential.split('.')
  if (parts.length !== 3 || !parts.every((part) => part !== '' && BASE64URL.test(part)))
    return { problem: 'not a signed token' }
  const header = decodePart(parts[0])
  if (header === undefined || REFUSED_MEMBERS.some((name) => Object.hasOwn(header, name)))
    return { problem: 'header not accepted' }
  const [algorithm, kid, type] = [own(header, 'alg'), own(header, 'kid'), own(header, 'typ')]
  if (typeof algorithm !== 'string') return { problem: 'no algorithm' }
  if (!isTextOrAbsent(kid) || !isTextOrAbsent(type)) return { problem: 'header not accepted' }
  const claims = decodePart(parts[1])
  if (claims === undefined) return { problem: 'payload is not an object' }
  return { text: credential, algorithm, kid, type, claims }
}

/** A member of an object of its own, never one that every object inherits. */
export function own(members: Members, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function decodePart(part: string | undefined): Members | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(Buffer.from(part ?? '', 'base64url')))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined
  } catch {
    return undefined
  }
}
