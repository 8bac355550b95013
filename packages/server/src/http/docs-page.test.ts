import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestNode, startNode } from '../testing/test-node.js'
import { docsPage } from './docs-page.js'
import { describeRoutes } from './openapi.js'
import { publicRoute } from './route.js'
import { API_ROUTES } from './routes.js'

let node: TestNode

beforeAll(async () => {
  node = await startNode()
})

afterAll(() => node.close())

describe('the page of the API', () => {
  it('is served to anybody, with a policy that allows its own style and nothing else', async () => {
    const answer = await fetch(`http://${node.host}:${node.port}/api/v1/docs`)
    const page = await answer.text()
    const style = /<style>([^]*)<\/style>/.exec(page)?.[1] ?? ''
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain(`'sha256-${createHash('sha256').update(style).digest('base64')}'`)
    expect(page).not.toMatch(/<script|<link|<img|style=|https?:\/\/|\son\w+=/i)
  })

  it('names every route, and leads to every schema that it names', async () => {
    const page = await (await fetch(`http://${node.host}:${node.port}/api/v1/docs`)).text()
    for (const { id } of API_ROUTES) expect(page).toContain(`<article id="${id}"`)
    const targets = Array.from(page.matchAll(/href="#([^"]+)"/g), ([, target]) => target ?? '')
    expect(targets.filter((target) => !page.includes(`id="${target}"`))).toEqual([])
  })

  it('shows what stands in descriptions, and does not run it', () => {
    const route = publicRoute({
      method: 'GET',
      path: '/odd',
      id: 'odd',
      tag: 'documents',
      summary: '<script>alert(1)</script>',
      answers: { 200: { description: '`<b>` & **more**' } },
      handle: () => new Response(),
    })
    const page = docsPage(describeRoutes([route], '/api/v1'))
    expect(page).not.toContain('<script>')
    expect(page).toContain('<code>&lt;b&gt;</code> &amp; <strong>more</strong>')
  })
})
