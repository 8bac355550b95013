import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SUBPROTOCOL } from '@holdfast/protocol'
import { type Holdfast, createHoldfast, signToken } from '@holdfast/server'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SECRET } from '../kit/server-process.js'
import { launchChromium } from './chromium.js'

// What a real browser sends and lets a page see: a page at one address is named, the same page at another is not.

let browser: Browser
let pages: [named: Server, other: Server]
let node: Holdfast
let local: Holdfast
let ports: { named: number; other: number; node: number; local: number }

const portOf = (server: Server): number => (server.address() as AddressInfo).port

async function servePage(): Promise<Server> {
  const server = createServer(({ url }, response) => {
    // What is sandboxed has the origin `null`.
    if (url === '/sandboxed') response.setHeader('content-security-policy', 'sandbox allow-scripts')
    response.setHeader('content-type', 'text/html; charset=utf-8').end('<!doctype html><title>page</title>')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

beforeAll(async () => {
  pages = [await servePage(), await servePage()]
  const [named, other] = pages
  const auth = { secret: SECRET }
  node = createHoldfast({ auth, environment: 'staging', origins: [`http://127.0.0.1:${portOf(named)}`] })
  local = createHoldfast({ auth })
  const [{ port }, { port: localPort }] = [await node.listen(), await local.listen()]
  ports = { named: portOf(named), other: portOf(other), node: port, local: localPort }
  browser = await launchChromium('--host-resolver-rules=MAP rebound.test 127.0.0.1')
})

afterAll(async () => {
  await browser?.close()
  await Promise.all([node?.close(), local?.close()])
  for (const server of pages ?? []) server.close()
})

/** What becomes of a WebSocket that a page opens: the type of the answer to `hello`, or how it was closed. */
async function connectFrom(address: string, to: number): Promise<string> {
  const page = await browser.newPage()
  await page.goto(address)
  const token = signToken({ secret: SECRET, tenant: 'acme', user: 'ada', ttlSeconds: 60 })
  const outcome = await page.evaluate(
    ([url, protocol, credential]) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(url, protocol)
        socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'hello', token: credential })))
        socket.addEventListener('close', ({ code, reason }) => resolve(`${code} ${reason}`))
        socket.addEventListener('message', ({ data }) => {
          const { type } = JSON.parse(String(data)) as { type: string }
          if (type !== 'goodbye') resolve(type)
        })
      }),
    [`ws://127.0.0.1:${to}/ws`, SUBPROTOCOL, token] as const,
  )
  await page.close()
  return outcome
}

/** What a page may read of an answer to a request with an `Authorization` header, before which a browser asks. */
async function readFrom(address: string): Promise<string> {
  const page = await browser.newPage()
  await page.goto(address)
  const read = await page.evaluate(async (url) => {
    const headers = { authorization: 'Bearer x' }
    return fetch(url, { headers, credentials: 'include' }).then(
      (answer) => answer.text(),
      () => 'nothing',
    )
  }, `http://127.0.0.1:${ports.node}/health/live`)
  await page.close()
  return read
}

describe('a browser', () => {
  it('T-001 connects from a page that is named, and is refused from the same page elsewhere', async () => {
    expect(await connectFrom(`http://127.0.0.1:${ports.named}/`, ports.node)).toBe('welcome')
    expect(await connectFrom(`http://127.0.0.1:${ports.other}/`, ports.node)).toBe('1008 Origin not allowed')
    expect(await connectFrom(`http://localhost:${ports.named}/`, ports.node)).toBe('1008 Origin not allowed')
    expect(node.origins.stats()).toMatchObject({ allowed: 1, refused: 2 })
  })

  it('T-004 is refused from a page of no site', async () => {
    expect(await connectFrom(`http://127.0.0.1:${ports.named}/sandboxed`, ports.node)).toBe('1008 Origin not allowed')
  })

  it('T-094 shows answers of HTTP routes to the page that is named, and to no other', async () => {
    expect(await readFrom(`http://127.0.0.1:${ports.named}/`)).toBe('{"status":"live"}')
    expect(await readFrom(`http://127.0.0.1:${ports.other}/`)).toBe('nothing')
  })

  it('T-008 finds nothing at a name of another that was pointed at this machine', async () => {
    const page = await browser.newPage()
    const answer = await page.goto(`http://rebound.test:${ports.local}/health/ready`)
    expect(answer?.status()).toBe(421)
    expect(await answer?.text()).not.toContain('ready')
    await page.close()
    expect(await connectFrom(`http://127.0.0.1:${ports.named}/`, ports.local)).toBe('welcome')
  })
})
