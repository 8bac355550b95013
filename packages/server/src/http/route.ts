import type { ErrorCode, JsonSchema } from '@holdfast/protocol'
import type * as z from 'zod'
import type { Services } from '../core/services.js'
import type { OperationDesk } from '../operations/desk.js'
import type { HoldfastStats } from '../telemetry/stats.js'
import type { Tenant } from '../tenant.js'
import type { EventStreamDoor } from '../event-stream.js'
import type { Bearer } from './bearer.js'
import type { DirectCall } from './event-stream/direct-route.js'
import type { WaitingRoom } from './waiting-room.js'

/** The methods that addresses take. `HEAD` is answered where `GET` is. */
export type HttpMethod = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** The names of what a bearer may do beside what channel rules allow. */
export const PERMISSIONS = [
  'operations',
  'operations.own',
  'notify',
  'channels',
  'connections',
  'revoke',
  'stats',
  'keys',
] as const

/** The name of what a bearer may do beside what channel rules allow. */
export type Permission = (typeof PERMISSIONS)[number]

/** The node as routes see it. */
export interface ApiNode {
  readonly services: Services
  readonly operations: OperationDesk
  /** Where requests wait that are answered later. */
  readonly waiting: WaitingRoom
  /** Connections that speak by server-sent events. */
  readonly eventStreams: EventStreamDoor
  /** Where the WebSocket is: `/ws`. */
  readonly path: string
  /** The facade of a tenant, as the application has it. */
  tenant(id: string): Tenant
  stats(): HoldfastStats
}

/** A request that was understood: who asks, and for what. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly node: ApiNode
  readonly bearer: Bearer
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** The text of a member called `data`, as it came: `data`, `messages[3].data`. */
  textOf(path: string): string | undefined
  /** Counts one more message of the bearer. @throws HoldfastError `rate_limited`. */
  countPublish(): Promise<void>
  readonly headers: Headers
  /** Aborted when the client has gone away. */
  readonly signal: AbortSignal
  /** The `Idempotency-Key`: whatever was done under it is not done again for a day, unless this node died over it. */
  readonly idempotencyKey: string | undefined
}

/** One of the answers of a route, as the documents describe it. */
export interface Answer {
  readonly description: string
  /** Of a JSON body; left out: there is no body. */
  readonly schema?: z.ZodType | JsonSchema
  readonly example?: unknown
  /** Headers that are told, with their descriptions. */
  readonly headers?: Readonly<Record<string, string>>
  /** Default `application/json`. */
  readonly mediaType?: string
}

/** What the documents say of a route. */
export interface RouteHeading {
  readonly method: HttpMethod
  /** Below `/api/v1`, with names in braces: `/channels/{channel}/messages`. */
  readonly path: string
  /** Unique among routes: `publishMessage`. */
  readonly id: string
  readonly tag: 'channels' | 'operations' | 'notifications' | 'connections' | 'access' | 'node' | 'documents'
  /** A few words, without a full stop. */
  readonly summary: string
  readonly description?: string
  readonly answers: Readonly<Record<number, Answer>>
  /** Headers that it reads beside those that every route does, with their descriptions. */
  readonly headers?: Readonly<Record<string, string>>
  /** What its body is, where that is text. */
  readonly text?: string
  /** Beside those that every route has. */
  readonly errors?: readonly ErrorCode[]
  /** A body that can be sent as it stands. */
  readonly example?: unknown
}

/** A route that anybody may ask. */
export interface PublicRouteSpec extends RouteHeading {
  readonly method: 'GET'
  readonly handle: (node: ApiNode) => Response | Promise<Response>
}

/** A route that a bearer may ask. Schemas are strict objects; a body without a schema must be empty. */
export interface RouteSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> extends RouteHeading {
  /** Permissions of which the bearer needs one; left out: the handler decides, by rules or by whose it is. */
  readonly permissions?: readonly Permission[]
  /** What is counted besides the request. `publish` is also counted by the user on all nodes. Default: nothing. */
  readonly counts?: 'publish' | 'read'
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** A body holds one message at most (default), or many. */
  readonly size?: 'message' | 'batch'
  /** Whether the answer holds a secret, which is kept for nobody but its bearer. Default false. */
  readonly isSecret?: boolean
  readonly handle: (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => Response | Promise<Response>
}

/** A route as the frame and the documents have it. */
export interface Route extends RouteHeading {
  readonly isPublic: boolean
  readonly permissions: readonly Permission[]
  readonly counts: 'publish' | 'read' | undefined
  readonly params: z.ZodType | undefined
  readonly query: z.ZodType | undefined
  readonly body: z.ZodType | undefined
  readonly size: 'message' | 'batch'
  readonly isSecret: boolean
  readonly handle: (call: Call) => Response | Promise<Response>
  /** In the place of `handle`, where a connection asks who comes. */
  readonly direct?: (call: DirectCall) => Response | Promise<Response>
}

/** Declares a route: what it checks, does and says of itself stands here, once. */
export function route<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(spec: RouteSpec<P, Q, B>): Route {
  const { permissions = [], counts, params, query, body, size = 'message', isSecret = false, handle, ...heading } = spec
  return {
    ...heading,
    isPublic: false,
    permissions,
    counts,
    params,
    query,
    body,
    size,
    isSecret,
    handle: handle as Route['handle'],
  }
}

/** Declares a route without a bearer. */
export function publicRoute({ handle, ...heading }: PublicRouteSpec): Route {
  const none = { params: undefined, query: undefined, body: undefined, counts: undefined, isSecret: false }
  return { ...heading, ...none, isPublic: true, permissions: [], size: 'message', handle: ({ node }) => handle(node) }
}

/** An answer in JSON. */
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json(value, { status, headers })
}

/** An answer without a body. */
export function empty(status: 202 | 204, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(null, { status, headers })
}
