import { DOCS_POLICY, docsPage } from './docs-page.js'
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
    publicRoute({
      method: 'GET',
      path: '/docs',
      id: 'readDocs',
      tag: 'documents',
      summary: 'This API as a page for people',
      answers: { 200: { description: 'The page', schema: { type: 'string' }, mediaType: 'text/html' } },
      handle: () =>
        new Response(docsPage(document()), {
          headers: {
            'content-type': 'text/html; charset=utf-8',
            'content-security-policy': DOCS_POLICY,
            'cache-control': 'no-cache',
          },
        }),
    }),
  ]
}
