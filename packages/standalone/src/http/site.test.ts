import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type Server, createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHoldfast } from '@holdfast/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadAssets } from './assets.js'
import { toNodeListener } from './node-bridge.js'
import { type Handler, createSite } from './site.js'

const holdfast = createHoldfast({ auth: { secret: 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU' } })
let directory: string
let server: Server
let url: string

const routes = new Map<string, Handler>([
  ['GET /health/live', () => Response.json({ live: true })],
  ['POST /echo', async ({ request }) => new Response(await request.text())],
  [
    'GET /broken',
    () => {
      throw new Error('broken')
    },
  ],
])

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-site-'))
  await mkdir(join(directory, 'page/assets'), { recursive: true })
  await writeFile(join(directory, 'outside.html'), 'outside')
  await writeFile(join(directory, 'page/index.html'), '<!doctype html>')
  await writeFile(join(directory, 'page/assets/main-1.js'), 'start()')
  await writeFile(join(directory, 'page/notes.txt'), 'not served')
  const site = createSite({ routes, assets: await loadAssets(join(directory, 'page')) })
  const guarded = holdfast.protect((request, { address }) => site({ request, address }))
  server = createServer(toNodeListener(guarded, () => {})).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  await rm(directory, { recursive: true, force: true })
  await holdfast.close()
})

/** The status of a request whose path is sent exactly as it is. */
function statusOf(path: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo
    const sent = httpRequest({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject).end()
  })
}

describe('site', () => {
  it('serves the page with a policy that allows nothing inline and nothing from elsewhere', async () => {
    const response = await fetch(url)
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain(`connect-src 'self' ws://${new URL(url).host}`)
    expect(policy).not.toContain('unsafe')
  })

  it('keeps files with a digest in their name for ever and answers 304 for the page that has not changed', async () => {
    const script = await fetch(`${url}/assets/main-1.js`)
    expect(script.headers.get('cache-control')).toContain('immutable')
    const etag = (await fetch(url)).headers.get('etag') ?? ''
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304)
  })

  it('repeats the policy of the page where it has not changed, as a browser takes it from there', async () => {
    const first = await fetch(url)
    const again = await fetch(url, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })
    expect(again.headers.get('content-security-policy')).toBe(first.headers.get('content-security-policy'))
  })

  it.each([
    '/../outside.html',
    '/%2e%2e/outside.html',
    '/assets/../../outside.html',
    '/notes.txt',
    '/index.html',
    '//',
    '/assets/',
    '/assets/main-1.js/',
  ])('knows exact paths only: %s', async (path) => expect(await statusOf(path)).toBe(404))

  it('answers a Host header that is none with 400', async () => {
    expect(await statusOf('/', { host: 'a b<c>' })).toBe(400)
    expect(await statusOf('http://elsewhere/')).toBe(400)
  })

  it('puts the security headers on every answer, errors included', async () => {
    for (const path of ['/', '/health/live', '/nowhere', '/echo']) {
      const { headers } = await fetch(url + path)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-frame-options')).toBe('DENY')
    }
  })

  it('says which methods an address takes', async () => {
    const response = await fetch(url, { method: 'DELETE' })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD')
  })

  it('answers HEAD without a body', async () => {
    const response = await fetch(`${url}/health/live`, { method: 'HEAD' })
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('')
  })

  it('reads a body up to its limit and refuses a larger one', async () => {
    expect(await (await fetch(`${url}/echo`, { method: 'POST', body: 'x'.repeat(16_384) })).text()).toHaveLength(16_384)
    expect((await fetch(`${url}/echo`, { method: 'POST', body: 'x'.repeat(16_385) })).status).toBe(413)
  })

  it('tells nothing of what broke', async () => {
    const response = await fetch(`${url}/broken`)
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('broken')
  })

  it('finds no page where none was built', async () => {
    expect(await loadAssets(join(directory, 'nowhere'))).toBeUndefined()
  })
})
