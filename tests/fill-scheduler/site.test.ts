import { request } from 'node:http'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { FillClient } from './kit/fill-client.js'
import { FillServer } from './kit/fill-server.js'

let server: FillServer
let client: FillClient

beforeAll(async () => {
  server = await FillServer.start()
  client = new FillClient(server.url)
})

afterAll(() => server.close())

it('describes itself as OpenAPI 3.1, validly', async () => {
  const document = (await (await client.fetch('/openapi.json')).json()) as { openapi: string; paths: object }
  expect(document.openapi).toBe('3.1.0')
  expect(await new Validator().validate(document)).toEqual({ valid: true })
  expect(Object.keys(document.paths).length).toBeGreaterThan(25)
})

it('describes itself for people, without any script', async () => {
  const answer = await client.fetch('/docs')
  const page = await answer.text()
  expect(page).toContain('/api/v1/schedule/{id}')
  expect(page).not.toMatch(/<script|https?:\/\//)
  expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; base/)
})

it('serves the page on all of its addresses, with its own scripts alone, and asks for changes by ETag', async () => {
  const first = await client.fetch('/')
  const page = await first.text()
  expect([first.status, first.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  const policy = first.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("script-src 'self';")
  expect(policy).toContain(`connect-src 'self' ${server.url.replace('http', 'ws')}`)
  expect(policy).not.toContain('unsafe')
  expect(first.headers.get('x-content-type-options')).toBe('nosniff')
  expect(first.headers.get('x-frame-options')).toBe('DENY')
  for (const path of ['/schedules/abc', '/comparisons/abc', '/templates', '/templates/abc'])
    expect(await (await client.fetch(path)).text()).toBe(page)
  const etag = first.headers.get('etag') ?? ''
  expect((await client.fetch('/', { headers: { 'if-none-match': etag } })).status).toBe(304)
  const [script] = /\/assets\/[^"]+\.js/.exec(page) ?? []
  const asset = await client.fetch(script ?? '/assets/none.js')
  expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  expect((await client.fetch('/assets/../../package.json')).status).toBe(404)
  expect((await client.fetch('/', { method: 'DELETE' })).status).toBe(404)
})

it('says whether it can serve, and hands probes and everything that is not its own to Holdfast', async () => {
  expect(await (await client.fetch('/health')).json()).toEqual({ status: 'ok', store: 'ok', live: 'ok' })
  expect((await client.fetch('/health/ready')).status).toBe(200)
  const user = await server.user()
  expect((await user.get('/operations')).body).toMatchObject({ items: [] })
  expect((await user.get('/nothing')).body).toMatchObject({ error: { code: 'not_found' } })
})

it('answers what is nowhere in the same form as all errors', async () => {
  const user = await server.user()
  for (const [path, status] of [
    ['/nothing', 404],
    ['/api/v1/schedule/a/b/c', 404],
    ['/api/v1/config/x/y', 404],
  ] as const) {
    const answer = await user.fetch(path)
    expect([path, answer.status]).toEqual([path, status])
    expect(await answer.json()).toMatchObject({ error: { code: 'not_found', retryable: false } })
    expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
  }
})

it('answers for its own names alone in development, whatever a page pretends', async () => {
  const { port } = new URL(server.url)
  const status = await new Promise((resolve) => {
    request({ port, host: '127.0.0.1', path: '/health', headers: { host: 'evil.example' } }, (answer) =>
      resolve(answer.resume().statusCode),
    ).end()
  })
  expect(status).toBe(421)
})

it('lets the pages in production that are named, and says what is missing', { timeout: 60_000 }, async () => {
  const named = await FillServer.start({ environment: 'production', origins: ['https://plan.example.com', 'missing'] })
  const user = await new FillClient(named.url).fetch('/api/v1/strategies', {
    headers: { origin: 'https://plan.example.com' },
  })
  expect(user.headers.get('access-control-allow-origin')).toBe('https://plan.example.com')
  const other = await new FillClient(named.url).fetch('/api/v1/strategies', {
    headers: { origin: 'https://evil.example' },
  })
  expect(other.headers.get('access-control-allow-origin')).toBeNull()
  const planner = await named.user()
  const live = planner.live()
  await live.ready()
  live.disconnect()
  await named.close()
  await expect(FillServer.start({ environment: 'production', origins: ['http://plan.example.com'] })).rejects.toThrow(
    /https/,
  )
})
