import { type ApiKeyOptions, arePermissions, findWrongGrant, isKeyHash, isKeyId } from '../access/api-key.js'
import { isTenantName } from '../access/identity.js'
import { OptionsError } from './options-error.js'

/** Members of a key in the options. */
const MEMBERS: readonly string[] = ['id', 'hash', 'tenant', 'grants', 'permissions']

/**
 * The API keys of the options.
 *
 * @throws OptionsError naming what is wrong, and never a hash or what was written in its place.
 */
export function resolveApiKeys(auth: object): readonly ApiKeyOptions[] {
  const { apiKeys = [] } = auth as { readonly apiKeys?: unknown }
  if (!Array.isArray(apiKeys)) throw new OptionsError('auth.apiKeys must be a list of keys')
  const ids = new Set<string>()
  for (const [at, key] of apiKeys.entries()) {
    const name = `auth.apiKeys[${at}]`
    const wrong = findWrong(Object(key) as Record<string, unknown>)
    if (wrong !== undefined) throw new OptionsError(`${name}.${wrong}`)
    const { id } = key as ApiKeyOptions
    if (ids.has(id)) throw new OptionsError(`${name}.id must be another one than those before it, received "${id}"`)
    ids.add(id)
  }
  return apiKeys as readonly ApiKeyOptions[]
}

function findWrong(key: Record<string, unknown>): string | undefined {
  const unknown = Object.keys(key).find((member) => !MEMBERS.includes(member))
  if (unknown !== undefined) return `${unknown.slice(0, 32)} is no member of a key; they are ${MEMBERS.join(', ')}`
  const { id, hash, tenant, grants, permissions = [] } = key
  if (!isKeyId(id)) return 'id must be 8 to 64 letters and digits'
  if (!isKeyHash(hash)) return 'hash must be sha256: and 64 hexadecimal digits, as createApiKey answers it'
  if (!isTenantName(tenant)) return 'tenant must be 1 to 128 printable characters'
  if (!arePermissions(permissions)) return 'permissions must be a list of names such as publish'
  return findWrongGrant(grants)
}
