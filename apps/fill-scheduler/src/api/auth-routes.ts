import { OpenAPIHono, createRoute, z } from '@hono/zod-openapi'
import { signToken } from '@holdfast/server'
import { AccountError } from '../accounts/accounts.js'
import { PasswordsBusyError } from '../accounts/password.js'
import type { User } from '../store/store.js'
import { json, refusal } from './answers.js'
import { type ApiEnvironment, type ApiParts, TENANT } from './api-environment.js'
import { ApiError } from './api-error.js'
import { newId } from './ids.js'
import { networkOf } from './rate-limits.js'
import { bodyKind, smallBody } from './request-body.js'

const tags = ['Accounts']

/** Routes for everybody. */
const OPEN: [] = []
const middleware = smallBody

/** How long a token is good: a working day and the night before it. */
const TOKEN_SECONDS = 86_400

const email = z.string().min(3).max(254).openapi({ example: 'planner@example.com' })
/** Bounds are told by the accounts, which count characters as people do. */
const password = z.string().min(1).max(2_048).openapi({ example: 'correct horse battery' })

const accountSchema = z.object({ id: z.string(), email: z.string(), created_at: z.string() }).openapi('Account')

const tokenSchema = z
  .object({ access_token: z.string(), token_type: z.literal('bearer'), expires_in: z.int() })
  .openapi('Token', { example: { access_token: 'eyJ…', token_type: 'bearer', expires_in: TOKEN_SECONDS } })

const granted = { 200: { description: 'A token for 24 hours', content: json(tokenSchema) }, default: refusal } as const

const register = createRoute({
  method: 'post',
  path: '/auth/register',
  tags,
  security: OPEN,
  summary: 'Open an account',
  middleware,
  request: { body: { required: true, content: json(z.strictObject({ email, password }).openapi('Credentials')) } },
  responses: { 201: { description: 'The account', content: json(accountSchema) }, default: refusal },
})

const login = createRoute({
  method: 'post',
  path: '/auth/login',
  tags,
  security: OPEN,
  summary: 'Sign in',
  middleware,
  request: {
    body: {
      content: {
        ...json(z.strictObject({ email, password })),
        // RFC 6749, 4.3.2: clients may send more than these two.
        'application/x-www-form-urlencoded': { schema: z.object({ username: email, password }) },
      },
    },
  },
  responses: granted,
})

const redeem = createRoute({
  method: 'post',
  path: '/auth/code',
  tags,
  security: OPEN,
  summary: 'Sign in with a one-time code',
  middleware,
  request: { body: { required: true, content: json(z.strictObject({ code: z.string().min(1).max(100) })) } },
  responses: granted,
})

const me = createRoute({
  method: 'get',
  path: '/auth/me',
  tags,
  summary: 'Your account',
  responses: { 200: { description: 'The account', content: json(accountSchema) }, default: refusal },
})

const logout = createRoute({
  method: 'post',
  path: '/auth/logout',
  tags,
  summary: 'Sign out: the token is withdrawn, everywhere and at once',
  responses: {
    200: { description: 'It is good no more', content: json(z.object({ message: z.string() })) },
    default: refusal,
  },
})

/** Accounts and tokens. */
export function authRoutes(parts: ApiParts): OpenAPIHono<ApiEnvironment> {
  const { accounts, codes, limits, tenant } = parts
  return new OpenAPIHono<ApiEnvironment>()
    .openapi(register, async (context) => {
      limits.registrations.take(networkOf(context.env.visitor.address))
      const user = await accounts.register(context.req.valid('json')).catch((error: unknown) => {
        throw refusalOf(error)
      })
      return context.json(accountBody(user), 201)
    })
    .openapi(login, async (context) => {
      const credentials = credentialsOf(context.req.valid(bodyKind(context)))
      const account = credentials.email.trim().toLowerCase()
      limits.signInsOfAddress.take(networkOf(context.env.visitor.address))
      limits.signInsOfAccount.take(account)
      const user = await accounts.login(credentials).catch((error: unknown) => {
        throw refusalOf(error)
      })
      if (user === undefined) throw new ApiError('unauthenticated', 'Incorrect email or password', { status: 401 })
      limits.signInsOfAccount.forgive(account)
      return context.json(tokenFor(user, parts), 200)
    })
    .openapi(redeem, async (context) => {
      limits.signInsOfAddress.take(networkOf(context.env.visitor.address))
      const id = codes.redeem(context.req.valid('json').code)
      const user = id === undefined ? undefined : await accounts.active(id)
      if (user !== undefined) return context.json(tokenFor(user, parts), 200)
      throw new ApiError('unauthenticated', 'The code is not valid, or has been used', { status: 401 })
    })
    .openapi(me, (context) => context.json(accountBody(context.var.user), 200))
    .openapi(logout, async (context) => {
      const { tokenId } = context.var
      if (tokenId !== undefined) await tenant.revokeToken(tokenId, { ttl: TOKEN_SECONDS * 1_000 })
      return context.json({ message: 'Signed out' }, 200)
    }) as OpenAPIHono<ApiEnvironment>
}

type Sent =
  | { readonly email: string; readonly password: string }
  | { readonly username: string; readonly password: string }

function credentialsOf(sent: Sent): { readonly email: string; readonly password: string } {
  return { email: 'email' in sent ? sent.email : sent.username, password: sent.password }
}

function accountBody({ id, email: address, createdAt }: User): z.infer<typeof accountSchema> {
  return { id, email: address, created_at: createdAt }
}

function tokenFor({ id }: User, { secret }: Pick<ApiParts, 'secret'>): z.infer<typeof tokenSchema> {
  const token = signToken({ secret, tenant: TENANT, user: id, ttlSeconds: TOKEN_SECONDS, tokenId: newId() })
  return { access_token: token, token_type: 'bearer', expires_in: TOKEN_SECONDS }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof AccountError) return new ApiError(error.code, error.message, { status: 400, field: error.field })
  if (!(error instanceof PasswordsBusyError)) return error
  return new ApiError('busy', 'Too many people sign in; try again in a moment', { status: 503, retryAfterMs: 5_000 })
}
