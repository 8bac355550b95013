import { type Route, json, publicRoute } from '../route.js'
import { asyncApiDocument } from './document.js'

/** The document that describes the WebSocket side. */
export const ASYNCAPI_ROUTE: Route = publicRoute({
  method: 'GET',
  path: '/asyncapi.json',
  id: 'getAsyncApi',
  tag: 'documents',
  summary: 'The WebSocket side as an AsyncAPI 3.0 document',
  answers: { 200: { description: 'The document', schema: { type: 'object' } } },
  handle: ({ path }) => json(200, asyncApiDocument({ path }), { 'cache-control': 'no-cache' }),
})
