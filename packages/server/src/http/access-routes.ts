import * as z from 'zod'
import { type Verb } from '../access/channel-rules.js'
import { coversGrants } from '../access/grant-cover.js'
import { isUserName } from '../access/identity.js'
import { HoldfastError } from '../core/errors.js'
import type { ApiKeyInfo, KeyRequester } from '../tenant-keys.js'
import { ApiRefusal } from './api-error.js'
import type { Bearer } from './bearer.js'
import { duration } from './duration.js'
import { cursorOf, nameOf, pageShape } from './page-cursor.js'
import { PERMISSIONS, type Route, empty, json, route } from './route.js'

const VERBS = ['subscribe', 'publish', 'signal', 'presence', 'history'] as const satisfies readonly Verb[]

const revocation = z.strictObject({
  token: z.string().min(1).max(256).optional().describe('The id of a token (`jti`)'),
  user: z
    .string()
    .refine((name) => isUserName(name), 'the name of a user')
    .optional()
    .describe('Every token of this user'),
  all: z.literal(true).optional().describe('Every token of the tenant; API keys stay'),
  issuedBefore: z.iso.datetime().optional().describe('Of a user or of all: those issued before. Default: now'),
  ttl: duration
    .optional()
    .describe('How long that is kept. Default: the longest life that a token may have, of one token `24h`'),
})

const withdraw = route({
  method: 'POST',
  path: '/revocations',
  id: 'withdrawTokens',
  tag: 'access',
  summary: 'Withdraw tokens',
  description:
    'One by its id, those of a user, or all: exactly one of `token`, `user` and `all`. Connections with them are closed, on all nodes, and no other is welcomed.',
  permissions: ['revoke'],
  body: revocation,
  example: { user: 'ada' },
  answers: { 204: { description: 'They are good no more' } },
  async handle({ node, bearer, body }) {
    const { token, user, all, issuedBefore, ttl } = body
    if ([token, user, all].filter((one) => one !== undefined).length !== 1)
      throw new ApiRefusal('bad_request', 'one of token, user and all must be named', { field: 'token' })
    const tenant = node.tenant(bearer.identity.tenant)
    const how = { ...(ttl !== undefined && { ttl }) }
    if (token !== undefined) {
      if (issuedBefore !== undefined)
        throw new ApiRefusal('bad_request', 'issuedBefore must be left out beside token', { field: 'issuedBefore' })
      await tenant.revokeToken(token, how)
      return empty(204)
    }
    const options = { ...how, ...(issuedBefore !== undefined && { issuedBefore: new Date(issuedBefore) }) }
    await (user === undefined ? tenant.revokeAll(options) : tenant.user(user).revoke(options))
    return empty(204)
  },
})

const grants = z
  .record(z.string().max(512), z.array(z.enum(VERBS)).max(VERBS.length))
  .describe('Verbs by channel or pattern: `{"room:*": ["publish"]}`')

const permissions = z.array(z.string().max(64)).max(64).describe(`Names, such as \`${PERMISSIONS[0]}\``)

const keyInfo = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    grants: z.record(z.string(), z.array(z.string())),
    permissions: z.array(z.string()),
    createdAt: z.iso.datetime(),
    rotatedAt: z.iso.datetime().optional(),
    expiresAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'ApiKey' })

const newKey = z
  .strictObject({ id: z.string(), key: z.string().describe('The key. It is shown this once') })
  .meta({ id: 'NewApiKey' })

const KEY_EXAMPLE = { id: '0123456789abcdef', key: 'hf_0123456789abcdef_…' }

const keyParams = z.strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/) })

const listKeys = route({
  method: 'GET',
  path: '/keys',
  id: 'listKeys',
  tag: 'access',
  summary: 'List API keys',
  description: 'The oldest first, without their secrets. Those of the options of the server are not among them.',
  permissions: ['keys'],
  counts: 'read',
  query: z.strictObject(pageShape),
  answers: {
    200: {
      description: 'A page',
      schema: z.strictObject({ items: z.array(keyInfo), next: z.string().optional() }),
    },
  },
  async handle({ node, bearer, query }) {
    const { tenant } = bearer.identity
    const list = ['keys', tenant]
    const after = nameOf(list, query.cursor)
    const listed = await node.tenant(tenant).keys.list()
    // By when they were made, and then by id: whatever is made or ends meanwhile, the rest keeps its order.
    const behind = listed.filter((key) => placeOf(key) > after)
    const items = behind.slice(0, query.limit)
    const last = items.at(-1)
    return json(200, {
      items,
      ...(last !== undefined && items.length < behind.length && { next: cursorOf(list, placeOf(last)) }),
    })
  },
})

function placeOf({ createdAt, id }: ApiKeyInfo): string {
  return `${createdAt} ${id}`
}

const makeKey = route({
  method: 'POST',
  path: '/keys',
  id: 'makeKey',
  tag: 'access',
  summary: 'Make an API key',
  description:
    'Nobody makes a key that may more than whoever makes it: its permissions are among those of the bearer, and its grants name nothing that those of the bearer do not. It is a credential of its own: it lives until `expiresIn` is over or it is revoked, whatever becomes of the credential that made it.',
  permissions: ['keys'],
  isSecret: true,
  body: z.strictObject({
    name: z.string().min(1).max(128).describe('For people'),
    grants,
    permissions: permissions.optional(),
    expiresIn: duration.optional().describe('Milliseconds, or text such as `90d`. Default: it does not expire'),
  }),
  example: { name: 'importer', grants: { 'room:*': ['publish'] }, permissions: ['operations'], expiresIn: '365d' },
  answers: { 201: { description: 'The key', schema: newKey, example: KEY_EXAMPLE } },
  errors: ['limit_exceeded'],
  async handle({ node, bearer, body }) {
    const { name, expiresIn, ...may } = body
    checkReach(bearer, may)
    const spec = {
      name,
      grants: may.grants,
      permissions: may.permissions ?? [],
      ...(expiresIn !== undefined && { expiresIn }),
    }
    return json(201, await node.tenant(bearer.identity.tenant).keys.create(spec, requesterOf(bearer)))
  },
})

const rotateKey = route({
  method: 'POST',
  path: '/keys/{id}/rotate',
  id: 'rotateKey',
  tag: 'access',
  summary: 'Give an API key a new secret',
  description: 'The old secret works until `overlap` is over. A key that may more than the bearer is not rotated.',
  permissions: ['keys'],
  isSecret: true,
  params: keyParams,
  body: z.strictObject({ overlap: duration.optional().describe('Default `1h`; `0` ends the old secret at once') }),
  example: { overlap: '1h' },
  answers: { 200: { description: 'The key with its new secret', schema: newKey, example: KEY_EXAMPLE } },
  errors: ['not_found'],
  async handle({ node, bearer, params, body: { overlap } }) {
    const { keys } = node.tenant(bearer.identity.tenant)
    const key = (await keys.list()).find(({ id }) => id === params.id)
    if (key === undefined) throw new HoldfastError('not_found')
    checkReach(bearer, key)
    const how = { ...requesterOf(bearer), ...(overlap !== undefined && { overlap }) }
    return json(200, await keys.rotate(params.id, how))
  },
})

const revokeKey = route({
  method: 'DELETE',
  path: '/keys/{id}',
  id: 'revokeKey',
  tag: 'access',
  summary: 'Revoke an API key',
  description: 'No other connection is welcomed with it, and those that live are closed, on all nodes.',
  permissions: ['keys'],
  params: keyParams,
  answers: { 204: { description: 'It is one no more' } },
  errors: ['not_found'],
  async handle({ node, bearer, params }) {
    const { keys } = node.tenant(bearer.identity.tenant)
    if (!(await keys.revoke(params.id, requesterOf(bearer)))) throw new HoldfastError('not_found')
    return empty(204)
  },
})

/** Who asks, for the audit trail. */
function requesterOf({ id, address, identity }: Bearer): KeyRequester {
  return { by: identity.user, connection: id, address }
}

/** @throws HoldfastError `permission_denied` for what the bearer may not itself. */
function checkReach(
  { identity }: Bearer,
  wanted: { readonly grants: ApiKeyInfo['grants']; readonly permissions?: readonly string[] | undefined },
): void {
  const held = identity.permissions ?? []
  const missing = wanted.permissions?.find((permission) => !held.includes(permission))
  if (missing !== undefined)
    throw new ApiRefusal('permission_denied', 'a key must not have a permission that its maker has not', {
      field: 'permissions',
    })
  if (!coversGrants(identity, wanted.grants))
    throw new ApiRefusal('permission_denied', 'a key must not have a grant that its maker has not', { field: 'grants' })
}

/** What becomes of credentials. */
export const ACCESS_ROUTES: readonly Route[] = [withdraw, listKeys, makeKey, rotateKey, revokeKey]
