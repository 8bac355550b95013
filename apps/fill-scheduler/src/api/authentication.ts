import type { MiddlewareHandler } from 'hono'
import { type ApiEnvironment, type ApiParts, TENANT } from './api-environment.js'
import { noAccount } from './api-error.js'

/**
 * Lets nobody in but who brings the token of an active account, and not more often than anybody may ask. `isOpen` says which paths are for everybody.
 */
export function authentication(
  { holdfast, store, limits }: Pick<ApiParts, 'holdfast' | 'store' | 'limits'>,
  isOpen: (path: string) => boolean,
): MiddlewareHandler<ApiEnvironment> {
  return async (context, next) => {
    if (isOpen(context.req.path)) return next()
    const identified = await holdfast.identify(context.req.raw, context.env.visitor)
    if ('refusal' in identified) return identified.refusal
    const { tenant, user: id, kind = 'user', tokenId } = identified.identity
    const user = tenant === TENANT && kind === 'user' ? await store.users.byId(id) : undefined
    if (user === undefined || !user.isActive) throw noAccount()
    limits.requests.take(user.id)
    context.set('user', user)
    context.set('tokenId', tokenId)
    return next()
  }
}
