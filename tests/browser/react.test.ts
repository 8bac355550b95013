import { HoldfastProvider, useChannel, useConnection, useOperation, usePresence } from '@holdfast/client/react'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { type ReactElement, createElement as make } from 'react'
import { renderToString } from 'react-dom/server'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { launchChromium } from './chromium.js'
import { type PageHost, buildPage, hostPage, trafficOf } from './page-host.js'

const WAIT = { timeout: 10_000, interval: 20 }
const HISTORY = { size: 1000, ttl: '1h' } as const
const CHANNELS = {
  'room:closed': { subscribe: 'nobody', publish: 'nobody' },
  'room:short': { subscribe: 'member', publish: 'member', history: { size: 2, ttl: '1h' } },
  'room:*': { subscribe: 'member', publish: 'member', signal: 'member', presence: true, history: HISTORY },
  'operation:{id}': { subscribe: 'owner', publish: 'nobody', history: { size: 100, ttl: '24h' }, slow: 'latest' },
} as const

let host: PageHost
let browser: Browser
let context: BrowserContext
let problems: string[]

beforeAll(async () => {
  host = await hostPage(await buildPage('react-page.ts'), '', CHANNELS)
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await host?.close()
})

beforeEach(async () => {
  problems = []
  context = await browser.newContext()
})

afterEach(async () => {
  host.refuse(false)
  await context.close()
  expect(problems).toEqual([])
})

async function open(query: string): Promise<{ page: Page; traffic: ReturnType<typeof trafficOf> }> {
  const page = await context.newPage()
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/ERR_|WebSocket|favicon|404/.test(message.text())) problems.push(message.text())
  })
  const traffic = trafficOf(page)
  await page.goto(`${host.url}/?${query}`)
  return { page, traffic }
}

const text = (page: Page, selector: string): Promise<string> => page.locator(selector).innerText()
const lines = (page: Page, id = 'chat'): Promise<string[]> => page.locator(`#${id} li`).allInnerTexts()
const say = (room: string, words: string): Promise<unknown> => host.tenant.publish(room, 'chat', { text: words })
const subscribed = (page: Page): Promise<void> =>
  expect.poll(() => text(page, '#chat .channel-status'), WAIT).toBe('subscribed')

let rooms = 0
/** A room that no other test has used. */
const newRoom = (): string => `room:${(rooms += 1) + 100}`

describe('in strict mode', () => {
  it('one socket and one subscribe serve two components and a hundred renderings with new functions', async () => {
    const room = newRoom()
    const { page, traffic } = await open(`parts=chat,second,presence&room=${room}`)
    await subscribed(page)
    const changes = await text(page, '#chat .changes')
    for (let n = 0; n < 100; n += 1) await page.locator('#chat .again').dispatchEvent('click')
    await say(room, 'hello')
    await expect.poll(() => lines(page), WAIT).toEqual(['hello'])
    await expect.poll(() => lines(page, 'second'), WAIT).toEqual(['hello'])
    expect(traffic.sockets).toBe(1)
    expect(traffic.count('subscribe', room)).toBe(1)
    expect(traffic.count('unsubscribe', room)).toBe(0)
    expect(await text(page, '#chat .changes')).toBe(changes)
    expect(await text(page, '#user')).toBe('ada')
  })

  it('the subscription ends with the last component that uses it, and goes on where it was with the next', async () => {
    const room = newRoom()
    const { page, traffic } = await open(`parts=chat,second&room=${room}`)
    await subscribed(page)
    await page.locator('#toggle-second').click()
    await say(room, 'one')
    await expect.poll(() => lines(page), WAIT).toEqual(['one'])
    expect(traffic.count('unsubscribe', room)).toBe(0)
    await page.locator('#toggle-chat').click()
    await expect.poll(() => traffic.count('unsubscribe', room), WAIT).toBe(1)
    await say(room, 'while nobody looked')
    await page.locator('#toggle-chat').click()
    await expect.poll(() => lines(page), WAIT).toEqual(['while nobody looked'])
    expect(traffic.count('subscribe', room)).toBe(2)
  })

  it('another name is another subscription, and the end of the one before', async () => {
    const { page, traffic } = await open('room=room:1')
    await subscribed(page)
    await page.locator('#other-room').click()
    await expect.poll(() => traffic.count('unsubscribe', 'room:1'), WAIT).toBe(1)
    await subscribed(page)
    await say('room:1', 'to the old one')
    await say('room:2', 'to the new one')
    await expect.poll(() => lines(page), WAIT).toEqual(['to the new one'])
    expect(traffic.count('subscribe', 'room:2')).toBe(1)
  })
})

describe('useChannel', () => {
  it('keeps the newest messages up to its limit, in order, and renders once for many', async () => {
    const room = newRoom()
    const { page } = await open(`room=${room}`)
    await subscribed(page)
    host.refuse(true)
    host.cut()
    await expect.poll(() => text(page, '#status'), WAIT).toBe('waiting')
    await expect.poll(() => text(page, '#chat .channel-status'), WAIT).toBe('subscribing')
    for (let n = 0; n < 500; n += 1) await say(room, `m${n}`)
    const before = await page.evaluate('renders.chat')
    host.refuse(false)
    await expect.poll(() => lines(page), WAIT).toEqual(Array.from({ length: 10 }, (_, n) => `m${490 + n}`))
    expect(await text(page, '#chat .handled')).toBe('500')
    expect(Number(await page.evaluate('renders.chat')) - Number(before)).toBeLessThan(100)
    expect(await text(page, '#chat .gap')).toBe('')
  })

  it('begins with the past where it is asked to', async () => {
    const room = newRoom()
    for (const words of ['a', 'b', 'c']) await say(room, words)
    const { page } = await open(`room=${room}&history=2`)
    await expect.poll(() => lines(page), WAIT).toEqual(['b', 'c'])
    await say(room, 'd')
    await expect.poll(() => lines(page), WAIT).toEqual(['b', 'c', 'd'])
  })

  it('asks again for a past that was refused for a moment, and keeps once, in its place, what comes meanwhile', async () => {
    const room = newRoom()
    await say(room, 'a')
    await context.routeWebSocket(/\/ws/, (line) => {
      const far = line.connectToServer()
      const held: (string | Buffer)[] = []
      let asked: number[] = []
      let heard = 0
      line.onMessage(async (data) => {
        const { type, id } = JSON.parse(String(data)) as { type: string; id: number }
        if (type !== 'history') return far.send(data)
        asked = [...asked, id]
        const refusal = { type: 'error', id, code: 'rate_limited', message: 'Too often', retryable: true }
        if (asked.length === 1) return line.send(JSON.stringify(refusal))
        for (const words of ['b', 'c', 'd']) await say(room, words)
        await expect.poll(() => heard, WAIT).toBe(3)
        far.send(data)
      })
      far.onMessage((data) => {
        const { type, id } = JSON.parse(String(data)) as { type: string; id?: number }
        if (type === 'message') heard += 1
        if (type === 'message' && heard > 1 && heard < 4) return void held.push(data)
        line.send(data)
        if (id === asked[1]) for (const late of held.splice(0)) line.send(late)
      })
    })
    const { page } = await open(`room=${room}&history=2`)
    await expect.poll(() => lines(page), WAIT).toEqual(['b', 'c', 'd'])
    await say(room, 'e')
    await expect.poll(() => lines(page), WAIT).toEqual(['b', 'c', 'd', 'e'])
    expect(await text(page, '#chat .handled')).toBe('4')
    expect(await text(page, '#chat .error')).toBe('')
  })

  it('says what was lost', async () => {
    const { page } = await open('room=room:short')
    await subscribed(page)
    await say('room:short', 'first')
    await expect.poll(() => lines(page), WAIT).toEqual(['first'])
    host.refuse(true)
    host.cut()
    await expect.poll(() => text(page, '#status'), WAIT).toBe('waiting')
    for (let n = 0; n < 9; n += 1) await say('room:short', `m${n}`)
    host.refuse(false)
    await expect.poll(() => text(page, '#chat .gap'), WAIT).toBe('trimmed')
  })

  it('publishes, and gives what goes wrong as a value', async () => {
    const room = newRoom()
    const { page } = await open(`room=${room}`)
    await subscribed(page)
    await page.locator('#chat .send').click()
    await expect.poll(() => text(page, '#chat .outcome'), WAIT).toBe('stored 1')
    const refused = (await open('room=room:closed')).page
    await expect.poll(() => text(refused, '#chat .error'), WAIT).toBe('permission_denied')
    expect(await text(refused, '#chat .channel-status')).toBe('unsubscribed')
    await refused.locator('#chat .send').click()
    await expect.poll(() => text(refused, '#chat .outcome'), WAIT).toBe('permission_denied')
  })

  it('shows who types in another tab', async () => {
    const room = newRoom()
    const [ada, ben] = [await open(`room=${room}&user=ada`), await open(`room=${room}&user=ben`)]
    await subscribed(ada.page)
    await subscribed(ben.page)
    await ben.page.locator('#chat .type').click()
    await expect.poll(() => text(ada.page, '#chat .typers'), WAIT).toBe('ben')
    expect(await lines(ada.page)).toEqual([])
  })
})

describe('usePresence', () => {
  it('counts two tabs of a person as one member, and forgets who leaves', async () => {
    const room = newRoom()
    const query = `parts=presence&room=${room}`
    const { page } = await open(`${query}&user=ada`)
    await expect.poll(() => text(page, '#members'), WAIT).toContain('ada 1; 1 of 1')
    const tab = await open(`${query}&user=ada`)
    await expect.poll(() => text(page, '#members'), WAIT).toContain('ada 2; 1 of 2')
    const other = await open(`${query}&user=ben`)
    await expect.poll(() => text(page, '#members'), WAIT).toContain('ada 2, ben 1; 2 of 3')
    await other.page.locator('#toggle-presence').click()
    await tab.page.close()
    await expect.poll(() => text(page, '#members'), { ...WAIT, timeout: 20_000 }).toContain('ada 1; 1 of 1')
  }, 40_000)

  it('tells the others what a member tells of itself, and what of that changes', async () => {
    const room = newRoom()
    const query = `parts=presence&room=${room}`
    const ada = await open(`${query}&user=ada&status=here`)
    await expect.poll(() => text(ada.page, '#told'), WAIT).toBe('{"status":"here"}')
    const ben = await open(`${query}&user=ben`)
    await expect.poll(() => text(ben.page, '#told'), WAIT).toContain('{"status":"here"}')
    await ada.page.locator('#away').dispatchEvent('click')
    await expect.poll(() => text(ben.page, '#told'), WAIT).toContain('{"status":"away"}')
    expect(ada.traffic.count('subscribe', room)).toBe(2)
  })

  it('says why it cannot tell what has no form', async () => {
    const { page } = await open(`parts=presence&room=${newRoom()}&status=endless`)
    await expect.poll(() => text(page, '#members'), WAIT).toContain('unserialisable')
  })

  it('says why there is nobody to be seen', async () => {
    const { page } = await open('parts=presence&room=room:closed')
    await expect.poll(() => text(page, '#members'), WAIT).toContain('permission_denied')
  })
})

describe('useOperation', () => {
  const spec = (id: string) => ({ id, kind: 'import', owner: 'ada', total: 10 })
  const watch = (id: string) => open(`parts=operation&operation=${id}`)

  it('tells the same end to those who come before, during and after', async () => {
    const early = await open('parts=operation&operation=op-1')
    await expect.poll(() => text(early.page, '#job-status'), WAIT).toBe('unavailable')
    const op = await host.tenant.operations.start(spec('op-1'))
    const [one, two] = [await watch('op-1'), await watch('op-1')]
    await expect.poll(() => text(one.page, '#job-status'), WAIT).toBe('live')
    op.advance(4)
    await expect.poll(() => text(one.page, '#job-percent'), WAIT).toBe('40')
    await two.page.reload()
    await expect.poll(() => text(two.page, '#job-percent'), WAIT).toBe('40')
    await op.complete({ imported: 10 })
    const late = await watch('op-1')
    const ends: string[] = []
    for (const { page } of [one, two, late]) {
      await expect.poll(() => text(page, '#job-status'), WAIT).toBe('ended')
      expect(await text(page, '#job-result')).toBe('10')
      ends.push(await text(page, '#job-snapshot'))
    }
    expect(new Set(ends).size).toBe(1)
    expect(one.traffic.count('subscribe', 'operation:op-1')).toBe(1)
    await early.page.locator('#toggle-operation').click()
    await early.page.locator('#toggle-operation').click()
    await expect.poll(() => text(early.page, '#job-status'), WAIT).toBe('ended')
  })

  it('shows the last that is known while the connection is away, and goes on afterwards', async () => {
    const op = await host.tenant.operations.start(spec('op-2'))
    const { page } = await watch('op-2')
    await expect.poll(() => text(page, '#job-status'), WAIT).toBe('live')
    host.refuse(true)
    host.cut()
    await expect.poll(() => text(page, '#job-status'), WAIT).toBe('reconnecting')
    op.advance(5)
    host.refuse(false)
    await expect.poll(() => text(page, '#job-percent'), WAIT).toBe('50')
    expect(await text(page, '#job-status')).toBe('live')
    await page.locator('#disconnect').click()
    await expect.poll(() => text(page, '#job-status'), WAIT).toBe('unavailable')
    await page.locator('#connect').click()
    await expect.poll(() => text(page, '#job-status'), WAIT).toBe('live')
    await op.fail(new Error('No space left'))
    await expect.poll(() => text(page, '#job-error'), WAIT).toBe('operation_failed')
  })

  it('goes on, as a channel does, where a client that was refused may connect again', async () => {
    const op = await host.tenant.operations.start(spec('op-6'))
    const { page } = await open('parts=chat,operation&operation=op-6')
    await expect.poll(() => text(page, '#job-status'), WAIT).toBe('live')
    await page.route('**/token?*', (route) => route.fulfill({ body: 'worthless' }))
    host.cut()
    await expect.poll(() => text(page, '#status'), WAIT).toBe('failed')
    await expect.poll(() => text(page, '#job-status'), WAIT).toBe('unavailable')
    await page.unroute('**/token?*')
    await page.locator('#connect').click()
    await expect.poll(() => text(page, '#job-status'), WAIT).toBe('live')
    await subscribed(page)
    op.advance(7)
    await expect.poll(() => text(page, '#job-percent'), WAIT).toBe('70')
    await op.complete()
  })

  it('cancels, and says when it was too late', async () => {
    const op = await host.tenant.operations.start(spec('op-3'))
    const { page } = await watch('op-3')
    await expect.poll(() => text(page, '#job-status'), WAIT).toBe('live')
    await page.locator('#cancel').click()
    await expect.poll(() => op.signal.aborted, WAIT).toBe(true)
    await op.cancelled()
    await expect.poll(() => text(page, '#job-error'), WAIT).toBe('operation_cancelled')
    await page.locator('#cancel').click()
    await expect.poll(() => text(page, '#job-cancel'), WAIT).toBe('already_ended')
  })

  it('gives up its subscription with its component', async () => {
    const op = await host.tenant.operations.start(spec('op-4'))
    const { page, traffic } = await watch('op-4')
    await expect.poll(() => text(page, '#job-status'), WAIT).toBe('live')
    await page.locator('#toggle-operation').click()
    await expect.poll(() => traffic.count('unsubscribe', 'operation:op-4'), WAIT).toBe(1)
    await op.complete()
  })

  it('is not for those whose operation it is not', async () => {
    await host.tenant.operations.start(spec('op-5'))
    const { page } = await open('parts=operation&operation=op-5&user=ben')
    await expect.poll(() => text(page, '#job-error'), WAIT).toBe('not_found')
  })
})

describe('on a server', () => {
  function Everything(): ReactElement {
    const { status } = useConnection()
    const { messages } = useChannel('room:1')
    const { counts } = usePresence('room:1')
    const job = useOperation('import-42')
    return make('p', {}, `${status} ${messages.length} ${counts.members} ${job.status}`)
  }

  it('renders what is known before the first connection, and connects to nothing', () => {
    const page = make(HoldfastProvider, { url: '/ws', token: () => fail() }, make(Everything))
    expect(renderToString(page)).toBe('<p>idle 0 0 idle</p>')
  })

  const fail = (): never => {
    throw new Error('A token was asked for')
  }
})
