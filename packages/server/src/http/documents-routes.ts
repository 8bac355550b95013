import type { OpenApiDocument } from './openapi.js'
import { type Route, json, publicRoute } from './route.js'

/** The documents that describe the API. */
export function documentRoutes(document: () => OpenApiDocument): readonly Route[] {
  return [
    publicRoute({
      method: 'GET',
      path: '/openapi.json',
      id: 'getOpenApi',
      tag: 'documents',
      summary: 'This API as an OpenAPI 3.1 document',
      answers: { 200: { description: 'The document', schema: { type: 'object' } } },
      handle: () => json(200, document(), { 'cache-control': 'no-cache' }),
    }),
  ]
}
