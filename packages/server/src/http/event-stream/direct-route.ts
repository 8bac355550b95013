import type * as z from 'zod'
import type { Visitor } from '../../access/perimeter.js'
import type { ApiNode, Route, RouteHeading } from '../route.js'

/** A request of somebody who says to a connection who they are. */
export interface DirectCall<Params = unknown, Query = unknown> {
  readonly node: ApiNode
  readonly request: Request
  readonly visitor: Visitor
  readonly params: Params
  readonly query: Query
}

/** A route that a connection answers: credential, limits and audit are its own. */
export interface DirectRouteSpec<P extends z.ZodType, Q extends z.ZodType> extends RouteHeading {
  readonly params?: P
  readonly query?: Q
  readonly handle: (call: DirectCall<z.output<P>, z.output<Q>>) => Response | Promise<Response>
}

/** Declares a route that asks for no bearer of its own. */
export function directRoute<P extends z.ZodType, Q extends z.ZodType>(spec: DirectRouteSpec<P, Q>): Route {
  const { params, query, handle, ...heading } = spec
  return {
    ...heading,
    isPublic: false,
    permissions: [],
    counts: undefined,
    params,
    query,
    body: undefined,
    size: 'message',
    isSecret: false,
    handle: () => Promise.reject(new Error('this route is answered directly')),
    direct: handle as NonNullable<Route['direct']>,
  }
}
