import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Holdfast, createHoldfast, signToken } from '@holdfast/server'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SECRET } from '../kit/server-process.js'
import { UpgradeRefuser } from '../kit/upgrade-refuser.js'
import { launchChromium } from './chromium.js'
import type { TestPage } from './event-stream-page.js'
import { buildPage } from './page-host.js'

// A real browser behind a proxy that refuses WebSockets.

const WAIT = { timeout: 15_000, interval: 20 }

let folder: string
let node: Holdfast
let port: number
let proxy: UpgradeRefuser
let browser: Browser

const tokenOf = (user: string): string => signToken({ secret: SECRET, tenant: 'acme', user, ttlSeconds: 600 })

async function startNode(at = 0): Promise<void> {
  node = createHoldfast({
    auth: { secret: SECRET },
    engine: { disk: folder },
    channels: {
      'room:*': { publish: 'member', presence: true, history: { size: 1_000, ttl: '1h' } },
      'operation:{id}': { subscribe: 'owner', publish: 'nobody', history: { size: 100, ttl: '24h' }, slow: 'latest' },
    },
  })
  const listening = await node.listen(at)
  port = listening.port
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-event-stream-'))
  const script = await buildPage('event-stream-page.ts')
  await startNode()
  proxy = await UpgradeRefuser.start([port], ({ url = '/' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://localhost')
    if (pathname.startsWith('/api/')) return false
    if (pathname === '/page.js') response.setHeader('content-type', 'text/javascript').end(script)
    else if (pathname === '/token') response.end(tokenOf(searchParams.get('user') ?? ''))
    else
      response
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><title>page</title><script type="module" src="/page.js"></script>')
    return true
  })
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await node?.close()
  await proxy?.close()
  await rm(folder, { recursive: true, force: true })
})

declare const page: TestPage

async function open(user: string): Promise<Page> {
  const opened = await browser.newPage()
  await opened.goto(`${proxy.url}/?user=${user}`)
  await expect.poll(() => opened.evaluate(() => 'page' in globalThis), WAIT).toBe(true)
  return opened
}

describe('a page behind a proxy that refuses WebSockets', () => {
  it('subscribes, publishes, sees who is there, watches an operation, and survives a restart of the node', async () => {
    const [ada, ben] = [await open('ada'), await open('ben')]
    expect(await ada.evaluate(() => page.begun())).toBe('new')
    expect(await ben.evaluate(() => page.begun())).toBe('new')
    expect(proxy.asked).toBe(2)
    await expect.poll(() => ada.evaluate(() => page.members()), WAIT).toEqual(['ada', 'ben'])
    for (let n = 1; n <= 20; n += 1) await ben.evaluate((data) => page.publish(data), n)
    await expect.poll(() => ada.evaluate(() => page.heard.length), WAIT).toBe(20)

    const operation = await node.tenant('acme').operations.start({ id: 'o1', kind: 'import', owner: 'ada', total: 2 })
    const watched = ada.evaluate(() => page.operation('o1'))
    await expect.poll(() => node.stats().channels, WAIT).toBeGreaterThan(1)
    operation.advance(1)
    operation.advance(1)
    await operation.complete({ rows: 2 })
    expect(await watched).toMatchObject({ result: { rows: 2 } })

    await node.close()
    await startNode(port)
    for (let n = 21; n <= 30; n += 1) await node.tenant('acme').publish('room:1', 'chat', n)
    const all = Array.from({ length: 30 }, (_, at) => at + 1)
    for (const one of [ada, ben]) await expect.poll(() => one.evaluate(() => page.heard), WAIT).toEqual(all)
    expect(await ada.evaluate(() => page.verdicts.at(-1))).toBe('full')

    await ben.close()
    await expect.poll(() => ada.evaluate(() => page.members()), { ...WAIT, timeout: 25_000 }).toEqual(['ada'])
    await ada.close()
  }, 90_000)

  it('follows a channel with an EventSource, which comes back by itself with nothing lost or doubled', async () => {
    const reader = await open('cleo')
    await reader.evaluate((credential) => {
      Object.assign(globalThis, { followed: page.follow('room:2', credential) })
    }, tokenOf('cleo'))
    const offsets = (): Promise<number[]> =>
      reader.evaluate(() =>
        (globalThis as unknown as { followed: ReturnType<TestPage['follow']> }).followed.events.map(
          ({ offset }) => offset,
        ),
      )
    const tenant = node.tenant('acme')
    await expect
      .poll(
        () =>
          reader.evaluate(() =>
            (globalThis as unknown as { followed: ReturnType<TestPage['follow']> }).followed.state(),
          ),
        WAIT,
      )
      .toBe(1)
    for (let n = 1; n <= 3; n += 1) await tenant.publish('room:2', 'chat', n)
    await expect.poll(offsets, WAIT).toEqual([1, 2, 3])
    proxy.cut()
    for (let n = 4; n <= 6; n += 1) await tenant.publish('room:2', 'chat', n)
    await expect.poll(offsets, WAIT).toEqual([1, 2, 3, 4, 5, 6])
    await reader.close()
  }, 60_000)

  it('follows an operation with an EventSource, which stops when it has ended', async () => {
    const reader = await open('cleo')
    const operation = await node.tenant('acme').operations.start({ id: 'o2', kind: 'import', owner: 'cleo' })
    await reader.evaluate((credential) => {
      Object.assign(globalThis, { followed: page.follow('operation:o2', credential) })
    }, tokenOf('cleo'))
    const state = (): Promise<number> =>
      reader.evaluate(() => (globalThis as unknown as { followed: ReturnType<TestPage['follow']> }).followed.state())
    await expect.poll(state, WAIT).toBe(1)
    await operation.complete()
    // 2: it is closed, and does not ask again.
    await expect.poll(state, WAIT).toBe(2)
    await reader.close()
  }, 60_000)
})
