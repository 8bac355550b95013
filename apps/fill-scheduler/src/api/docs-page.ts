import { createHash } from 'node:crypto'
import type { OpenApiDocument } from './document-routes.js'

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; }
code, pre { font: 0.9rem/1.5 ui-monospace, monospace; }
pre { overflow: auto; padding: 0.75rem; background: color-mix(in srgb, currentColor 8%, transparent); }
article { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: 0.5rem 0; }
h3 { font-size: 1rem; margin: 0.5rem 0 0; }
p { margin: 0.25rem 0; }
table { border-collapse: collapse; }
td, th { text-align: left; vertical-align: top; padding: 0.15rem 1rem 0.15rem 0; }
`

/** The policy of the page: its own style, by what it is, and nothing else. */
export const DOCS_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

interface Media {
  readonly schema?: object
}

interface Entry {
  readonly method: string
  readonly path: string
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly security?: readonly unknown[]
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, Media>> }>
  >
}

/** The document as a page for people, without scripts. */
export function docsPage(document: OpenApiDocument): string {
  const { info, tags = [], components } = document
  const entries = entriesOf(document)
  const schemas = Object.entries(components?.schemas ?? {})
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(info.title)} REST API</title><style>${STYLE}</style></head>
<body>
<main>
<h1>${escaped(info.title)} REST API</h1>
<p>${escaped(info.description ?? '')}</p>
<p>The same as an <a href="/openapi.json">OpenAPI 3.1 document</a>. Send the token as <code>Authorization: Bearer …</code>. What Holdfast offers stands at <a href="/api/v1/docs">/api/v1/docs</a>.</p>
${tags
  .map(({ name, description }) =>
    groupOf(
      name,
      description ?? '',
      entries.filter((entry) => entry.tags?.includes(name)),
    ),
  )
  .join('\n')}
<h2>Schemas</h2>
${schemas.map(([name, schema]) => `<h3 id="schema-${escaped(name)}">${escaped(name)}</h3>\n${code(schema)}`).join('\n')}
</main>
</body>
</html>
`
}

function entriesOf({ paths = {} }: OpenApiDocument): readonly Entry[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, entry]) => ({ ...(entry as Entry), method: method.toUpperCase(), path })),
  )
}

function groupOf(name: string, description: string, entries: readonly Entry[]): string {
  return `<h2>${escaped(name)}</h2>\n<p>${escaped(description)}</p>\n${entries.map(articleOf).join('\n')}`
}

function articleOf({ method, path, summary = '', security, parameters = [], requestBody, responses }: Entry): string {
  const rows = parameters.map(
    ({ name, in: place, required, description = '' }) =>
      `<tr><td><code>${escaped(name)}</code></td><td>${place}${required ? ', required' : ''}</td><td>${escaped(description)}</td></tr>`,
  )
  const bodies = Object.entries(requestBody?.content ?? {}).map(
    ([type, { schema }]) => `<p>Body: ${type}</p>\n${linked(schema)}`,
  )
  const answers = Object.entries(responses).map(
    ([status, { description, content = {} }]) =>
      `<p>${status}: ${escaped(description)} ${Object.values(content)
        .map(({ schema }) => linked(schema))
        .join(' ')}</p>`,
  )
  return `<article>
<h3><code>${method} ${escaped(path)}</code></h3>
<p>${escaped(summary)}.${security?.length === 0 ? ' For everybody.' : ''}</p>
${rows.length > 0 ? `<table>${rows.join('\n')}</table>` : ''}
${bodies.join('\n')}
${answers.join('\n')}
</article>`
}

/** A schema by its name, else in full. */
function linked(schema: object | undefined): string {
  const reference = schema !== undefined && '$ref' in schema ? String(schema.$ref).split('/').at(-1) : undefined
  if (reference !== undefined) return `<a href="#schema-${escaped(reference)}">${escaped(reference)}</a>`
  return schema === undefined ? '' : code(schema)
}

function code(value: object): string {
  return `<pre>${escaped(JSON.stringify(value, undefined, 2))}</pre>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
