import { createHash } from 'node:crypto'
import type { JsonSchema } from '@holdfast/protocol'
import { DOCS_STYLE } from './docs-style.js'
import type { OpenApiDocument } from './openapi.js'
import { type SchemaRow, kindOf, rowsOf, textOf } from './schema-rows.js'

/** The policy of the page: its own style, by what it is, and nothing else. */
export const DOCS_POLICY: string = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(DOCS_STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

interface Media {
  readonly schema?: JsonSchema
  readonly example?: unknown
}

interface Described {
  readonly description?: string
  readonly content?: Readonly<Record<string, Media>>
  readonly headers?: Readonly<Record<string, { readonly description: string }>>
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema: JsonSchema
}

interface Entry extends Described {
  readonly method: string
  readonly path: string
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: Described
  readonly responses: Readonly<Record<string, Described>>
  readonly security?: readonly unknown[]
}

/** The document as a page for people: one file, without scripts. */
export function docsPage(document: OpenApiDocument): string {
  const { info, tags, servers } = document as unknown as {
    info: { title: string; version: string; description: string }
    tags: { name: string; description: string }[]
    servers: { url: string }[]
  }
  const base = servers[0]?.url ?? ''
  const entries = entriesOf(document)
  const groups = tags
    .map((tag) => ({ ...tag, entries: entries.filter((entry) => entry.tags.includes(tag.name)) }))
    .filter((group) => group.entries.length > 0)
  const schemas = Object.entries(document.components.schemas)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(info.title)} REST API</title>
<style>${DOCS_STYLE}</style>
</head>
<body>
<a class="skip" href="#main">To the routes</a>
<div class="page">
<nav aria-label="Routes">
<strong>${escape(info.title)} ${escape(info.version)}</strong>
${groups.map(({ name, entries: listed }) => `<h2>${escape(titled(name))}</h2>\n<ul>\n${listed.map(link).join('\n')}\n</ul>`).join('\n')}
<h2>Schemas</h2>
<ul>
${schemas.map(([name]) => `<li><a href="#schema-${escape(name)}">${escape(name)}</a></li>`).join('\n')}
</ul>
</nav>
<main id="main">
<h1>${escape(info.title)} REST API</h1>
<p class="note">Below <code>${escape(base)}</code>, as an <a href="openapi.json">OpenAPI 3.1 document</a>, too.</p>
${prose(info.description)}
${groups.map((group) => groupOf(group, base)).join('\n')}
<h2 id="schemas">Schemas</h2>
${schemas.map(([name, schema]) => schemaOf(name, schema)).join('\n')}
</main>
</div>
</body>
</html>
`
}

function entriesOf({ paths }: OpenApiDocument): readonly Entry[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, entry]) => ({ ...(entry as Entry), method: method.toUpperCase(), path })),
  )
}

function link({ operationId, method, summary }: Entry): string {
  return `<li><a href="#${escape(operationId)}"><span class="${method}">${method}</span> ${escape(summary)}</a></li>`
}

function groupOf(
  { name, description, entries }: { name: string; description: string; entries: readonly Entry[] },
  base: string,
): string {
  return `<section aria-labelledby="tag-${escape(name)}">
<h2 id="tag-${escape(name)}">${escape(titled(name))}</h2>
<p class="note">${marked(description)}</p>
${entries.map((entry) => articleOf(entry, base)).join('\n')}
</section>`
}

function articleOf(entry: Entry, base: string): string {
  const { operationId, method, path, summary, description = '', parameters = [], requestBody, responses } = entry
  return `<article id="${escape(operationId)}" aria-labelledby="${escape(operationId)}-title">
<header><h3 id="${escape(operationId)}-title"><span class="address"><span class="method ${method}">${method}</span> ${escape(path)}</span></h3> <span class="summary">${escape(summary)}</span></header>
<div>
${prose(description)}
${parameters.length === 0 ? '' : `<h4>Parameters</h4>\n${table(parameters.map(asRow))}`}
${requestBody === undefined ? '' : `<h4>Body</h4>\n${contentOf(requestBody, false)}`}
<h4>Example</h4>
<pre tabindex="0"><code>${escape(curlOf(entry, base))}</code></pre>
<h4>Answers</h4>
${Object.entries(responses)
  .map(([status, answer]) => answerOf(status, answer))
  .join('\n')}
</div>
</article>`
}

function asRow({ name, in: place, required = false, description = '', schema }: Parameter): SchemaRow {
  const told =
    schema['default'] === undefined ? description : `${description} (default ${JSON.stringify(schema['default'])})`
  return {
    name,
    isRequired: required,
    kind: `${kindOf(schema)}, in the ${place}`,
    refersTo: undefined,
    description: told,
  }
}

function answerOf(status: string, answer: Described): string {
  const headers = Object.entries(answer.headers ?? {}).map(
    ([name, { description }]) => `<code>${escape(name)}</code>: ${marked(description)}`,
  )
  const told = `<strong>${escape(status)}</strong> ${marked(answer.description ?? '')}${headers.length === 0 ? '' : `; ${headers.join('; ')}`}`
  const isError = Number(status) >= 400
  return isError || answer.content === undefined
    ? `<p>${told}</p>`
    : `<details><summary>${told}</summary>\n${contentOf(answer)}\n</details>`
}

function contentOf({ content = {} }: Described, withExample: boolean = true): string {
  return Object.entries(content)
    .map(([type, { schema = {}, example }]) => {
      const kind = `<p>${escape(type)}: ${kindLink(schema)}</p>`
      const shown =
        example === undefined || !withExample
          ? ''
          : `<pre tabindex="0"><code>${escape(JSON.stringify(example, null, 2))}</code></pre>`
      return `${kind}${table(rowsOf(schema))}${shown}`
    })
    .join('\n')
}

function kindLink(schema: JsonSchema): string {
  const name = textOf(schema, '$ref')?.split('/').at(-1)
  return name === undefined ? escape(kindOf(schema)) : `<a href="#schema-${escape(name)}">${escape(name)}</a>`
}

function schemaOf(name: string, schema: JsonSchema): string {
  const { description } = schema as { description?: string }
  return `<article id="schema-${escape(name)}"><header><h3>${escape(name)}</h3></header><div>${prose(description ?? '')}${table(rowsOf(schema))}</div></article>`
}

function table(rows: readonly SchemaRow[]): string {
  if (rows.length === 0) return ''
  const lines = rows.map(
    ({ name, isRequired, kind, refersTo, description }) =>
      `<tr><th scope="row"><code>${escape(name)}</code>${isRequired ? ' <span class="must">required</span>' : ''}</th><td>${refersTo === undefined ? escape(kind) : `<a href="#schema-${escape(refersTo)}">${escape(kind)}</a>`}</td><td>${marked(description)}</td></tr>`,
  )
  return `<div class="table"><table><thead><tr><th scope="col">Name</th><th scope="col">Kind</th><th scope="col">Meaning</th></tr></thead><tbody>\n${lines.join('\n')}\n</tbody></table></div>`
}

/** What places in a path stand for in examples. */
const EXAMPLES: Readonly<Record<string, string>> = { channel: 'room:42', operation: 'import-42', user: 'ada' }

function curlOf({ method, path, requestBody, security }: Entry, base: string): string {
  const address = path.replace(/\{(\w+)\}/g, (_, name: string) => EXAMPLES[name] ?? `<${name}>`)
  const example = requestBody?.content?.['application/json']?.example
  return [
    `curl${method === 'GET' ? '' : ` -X ${method}`} "$HOLDFAST_URL${base}${address}"`,
    ...(security === undefined ? ['-H "Authorization: Bearer $HOLDFAST_TOKEN"'] : []),
    ...(example === undefined ? [] : ['-H "Content-Type: application/json"', `-d '${JSON.stringify(example)}'`]),
  ].join(' \\\n  ')
}

function titled(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

function prose(text: string): string {
  return text
    .split('\n\n')
    .filter((part) => part !== '')
    .map((part) => `<p>${marked(part)}</p>`)
    .join('\n')
}

/** The two marks that descriptions use: `code` and **strong**. */
function marked(text: string): string {
  return escape(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
