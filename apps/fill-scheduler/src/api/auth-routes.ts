import { OpenAPIHono, createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { AccountError } from '../accounts/accounts.js'
import { closeAccount } from '../accounts/closing.js'
import { PasswordsBusyError } from '../accounts/password.js'
import type { User } from '../store/store.js'
import { json, refusal } from './answers.js'
import type { ApiEnvironment, ApiParts } from './api-environment.js'
import { ApiError } from './api-error.js'
import { networkOf } from './rate-limits.js'
import { bodyKind, smallBody } from './request-body.js'
import { Tokens, granted } from './tokens.js'

const tags = ['Accounts']

/** Routes for everybody. */
const OPEN: [] = []
const middleware = smallBody

const email = z.string().min(3).max(254).openapi({ example: 'planner@example.com' })
/** Bounds are told by the accounts, which count characters as people do. */
const password = z.string().min(1).max(2_048).openapi({ example: 'correct horse battery' })

const accountSchema = z.object({ id: z.string(), email: z.string(), created_at: z.string() }).openapi('Account')

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

const redemption = z.strictObject({
  code: z.string().min(1).max(100),
  by: z.string().min(16).max(100).optional().openapi({
    description: 'A secret of yours: with the same one the code is good again for a minute, as an answer may get lost.',
  }),
})

const redeem = createRoute({
  method: 'post',
  path: '/auth/code',
  tags,
  security: OPEN,
  summary: 'Sign in with a one-time code',
  middleware,
  request: { body: { required: true, content: json(redemption) } },
  responses: granted,
})

const me = createRoute({
  method: 'get',
  path: '/auth/me',
  tags,
  summary: 'Your account',
  responses: { 200: { description: 'The account', content: json(accountSchema) }, default: refusal },
})

const changePassword = createRoute({
  method: 'put',
  path: '/auth/password',
  tags,
  summary:
    'Set another password: every token of the account is withdrawn, everywhere and at once, and you get a new one',
  middleware,
  request: {
    body: {
      required: true,
      content: json(z.strictObject({ current_password: password, new_password: password }).openapi('PasswordChange')),
    },
  },
  responses: granted,
})

const close = createRoute({
  method: 'post',
  path: '/auth/close',
  tags,
  summary: 'Close the account: what runs is cancelled, everything of yours is removed, and every token withdrawn',
  middleware,
  request: { body: { required: true, content: json(z.strictObject({ password })) } },
  responses: { 204: { description: 'There is no such account any more' }, default: refusal },
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
  const { accounts, codes, limits } = parts
  const tokens = new Tokens(parts)
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
      return context.json(await tokens.grant(user), 200)
    })
    .openapi(redeem, async (context) => {
      limits.signInsOfAddress.take(networkOf(context.env.visitor.address))
      const { code, by } = context.req.valid('json')
      const id = codes.redeem(code, by)
      const user = id === undefined ? undefined : await accounts.active(id)
      if (user !== undefined) return context.json(await tokens.grant(user), 200)
      throw new ApiError('unauthenticated', 'The code is not valid, or has been used', { status: 401 })
    })
    .openapi(me, (context) => context.json(accountBody(context.var.user), 200))
    .openapi(changePassword, async (context) => {
      const { current_password: current, new_password: next } = context.req.valid('json')
      await confirm(context, parts, { password: current, field: 'current_password' })
      const prepared = await accounts.prepared(next).catch((error: unknown) => {
        throw refusalOf(error, 'new_password')
      })
      return context.json(
        await tokens.renew(context.var.user.id, () => changed(context.var.user, prepared, parts)),
        200,
      )
    })
    .openapi(close, async (context) => {
      await confirm(context, parts, { password: context.req.valid('json').password, field: 'password' })
      const { id } = context.var.user
      await tokens.withdrawAll(id)
      await tokens.withdrawLate(id, await closeAccount(id, parts))
      return context.body(null, 204)
    })
    .openapi(logout, async (context) => {
      const { tokenId } = context.var
      if (tokenId !== undefined) await tokens.withdraw(tokenId)
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

/** Nobody changes an account by a token alone: it may have been found on a desk. Tries count as those of signing in. */
async function confirm(
  context: Context<ApiEnvironment>,
  { accounts, limits }: ApiParts,
  { password: tried, field }: { readonly password: string; readonly field: string },
): Promise<void> {
  const { user } = context.var
  limits.signInsOfAddress.take(networkOf(context.env.visitor.address))
  limits.signInsOfAccount.take(user.email)
  const isRight = await accounts.isPassword(user, tried).catch((error: unknown) => {
    throw refusalOf(error)
  })
  if (!isRight) throw new ApiError('wrong_password', 'The current password is wrong', { status: 403, field })
  limits.signInsOfAccount.forgive(user.email)
}

async function changed(user: User, prepared: string, { accounts }: ApiParts): Promise<User> {
  const after = await accounts.setPassword(user, prepared)
  if (after !== undefined) return after
  const message = 'The password has been changed by somebody else in this moment; nothing was done'
  throw new ApiError('wrong_password', message, { status: 403, field: 'current_password' })
}

function refusalOf(error: unknown, field?: string): unknown {
  if (error instanceof AccountError)
    return new ApiError(error.code, error.message, { status: 400, field: field ?? error.field })
  if (!(error instanceof PasswordsBusyError)) return error
  return new ApiError('busy', 'Too many people sign in; try again in a moment', { status: 503, retryAfterMs: 5_000 })
}
