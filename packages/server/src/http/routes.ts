import { ACCESS_ROUTES } from './access-routes.js'
import { MESSAGE_ROUTES } from './channels/message-routes.js'
import { PRESENCE_ROUTES } from './channels/presence-routes.js'
import { CONNECTION_ROUTES } from './connection-routes.js'
import { NODE_ROUTES } from './node-routes.js'
import { ASYNCAPI_ROUTE } from './asyncapi/route.js'
import { documentRoutes } from './documents-routes.js'
import { EVENT_STREAM_ROUTES } from './event-stream/routes.js'
import { NOTIFICATION_ROUTES } from './notification-routes.js'
import { type OpenApiDocument, describeRoutes } from './openapi.js'
import { OPERATION_EVENTS_ROUTE } from './operations/events-route.js'
import { READING_ROUTES } from './operations/reading-routes.js'
import { WORKER_ROUTES } from './operations/worker-routes.js'
import type { Route } from './route.js'

/** What every address of the API begins with. */
export const API_PREFIX = '/api/v1'

/** Every route of the API. */
export const API_ROUTES: readonly Route[] = [
  ...MESSAGE_ROUTES,
  ...PRESENCE_ROUTES,
  ...CONNECTION_ROUTES,
  ...ACCESS_ROUTES,
  ...NODE_ROUTES,
  ...READING_ROUTES,
  ...WORKER_ROUTES,
  OPERATION_EVENTS_ROUTE,
  ...EVENT_STREAM_ROUTES,
  ...NOTIFICATION_ROUTES,
  ...documentRoutes(() => openApiDocument()),
  ASYNCAPI_ROUTE,
]

let document: OpenApiDocument | undefined

/** The REST API as an OpenAPI 3.1 document, made of the schemas that check requests. */
export function openApiDocument(): OpenApiDocument {
  document ??= describeRoutes(API_ROUTES, API_PREFIX)
  return document
}
