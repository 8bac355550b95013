import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { STATUS_OF } from './api-error.js'
import { API_ROUTES } from './routes.js'

const page = readFileSync(new URL('../../../../docs/reference/rest.md', import.meta.url), 'utf8')

describe('the page of the REST API', () => {
  it('has a row for every route, and for nothing else', () => {
    const rows = Array.from(page.matchAll(/^\| `([A-Z]+ \/\S+)` \|/gm), ([, line]) => line)
    expect(rows.toSorted()).toEqual(API_ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted())
  })

  it('names the permission of every route that always asks for one', () => {
    for (const { method, path, permissions } of API_ROUTES) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${method} ${path}\` |`)) ?? ''
      for (const permission of permissions) expect(row, path).toMatch(new RegExp(`\`${permission}\` \\|$`))
    }
  })

  it('gives the status of every code that can be answered', () => {
    // Of commands alone, and of what only the WebSocket calls.
    const elsewhere = ['unknown_type', 'unknown_method']
    for (const [code, status] of Object.entries(STATUS_OF)) {
      const row = page.split('\n').find((line) => line.startsWith(`| ${status} |`)) ?? ''
      if (!elsewhere.includes(code)) expect(row, code).toContain(`\`${code}\``)
    }
  })
})
