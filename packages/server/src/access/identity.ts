import { channelSegment } from '@holdfast/protocol'

/** Who a connection is, as a verified credential says. */
export interface Identity {
  readonly tenant: string
  readonly user: string
  readonly roles: readonly string[]
  /** Verbs allowed by channel name, beyond the rules: `{"room:42": ["subscribe", "publish"]}`. */
  readonly grants: Readonly<Record<string, readonly string[]>>
  /** Milliseconds since 1970; undefined: never. */
  readonly expiresAt: number | undefined
  readonly tokenId: string | undefined
  /** When the credential was issued, in milliseconds since 1970; undefined: nobody knows, so that every withdrawal by time holds for it. */
  readonly issuedAt?: number | undefined
  /** What stands behind the credential: a person or program of the tenant (the default), a server of the tenant with an API key, or nobody known. */
  readonly kind?: 'user' | 'server' | 'anonymous'
  /** Whether the user's name was made up for one connection (default: no): nobody comes again under it, so that no session is kept. */
  readonly isMadeUp?: boolean
  /** What it may beside channels, by name: `operations`, `notify`. Default: nothing. */
  readonly permissions?: readonly string[]
}

/** The longest segment that a user id may become in a channel name such as `user:{user}`. */
const SEGMENT_MAX = 200

/** No control characters, no lone surrogates: what may name a tenant or a user. */
const PRINTABLE = /^[^\p{Cc}\p{Surrogate}]{1,128}$/u

/** Whether this may name a tenant. */
export function isTenantName(name: unknown): name is string {
  return typeof name === 'string' && PRINTABLE.test(name)
}

/** Whether this may name a user: as a tenant, and fit for a channel name. */
export function isUserName(name: unknown): name is string {
  return isTenantName(name) && channelSegment(name).length <= SEGMENT_MAX
}

/** What the name of a user begins with that stands for an API key. Nobody else may be called so. */
const KEY_USER_PREFIX = 'key:'

/** The name of the user that stands for an API key. */
export function userOfKey(id: string): string {
  return KEY_USER_PREFIX + id
}

/** Whether a user stands for an API key. */
export function isKeyUser(user: string): boolean {
  return user.startsWith(KEY_USER_PREFIX)
}

/** The name under which what belongs to a user of a tenant is kept. Lengths stand first, so that no two users share it. */
export function userKey(identity: Pick<Identity, 'tenant' | 'user'>): string {
  return `${identity.tenant.length}:${identity.tenant}${identity.user.length}:${identity.user}`
}
