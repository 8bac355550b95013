import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { launchChromium } from './chromium.js'
import { type PageHost, buildPage, hostPage, trafficOf } from './page-host.js'

const WAIT = { timeout: 10_000, interval: 20 }
const CHANNELS = {
  'operation:{id}': { subscribe: 'owner', publish: 'nobody', history: { size: 100, ttl: '24h' }, slow: 'latest' },
} as const
const PHASES = [
  { name: 'Counting', weight: 1 },
  { name: 'Reading', weight: 3 },
]

let host: PageHost
let browser: Browser
let context: BrowserContext
let page: Page
let problems: string[]

beforeAll(async () => {
  host = await hostPage(await buildPage('progress-page.ts'), '', CHANNELS)
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await host?.close()
})

beforeEach(async () => {
  problems = []
  context = await browser.newContext()
  page = await open()
})

afterEach(async () => {
  host.refuse(false)
  await context.close()
  expect(problems).toEqual([])
})

async function open(query = ''): Promise<Page> {
  const opened = await context.newPage()
  opened.on('pageerror', (error) => problems.push(error.message))
  opened.on('console', (message) => {
    if (message.type() === 'error' && !/ERR_|WebSocket|404/.test(message.text())) problems.push(message.text())
  })
  await opened.goto(`${host.url}/?${query}`)
  return opened
}

const show = (attributes: Record<string, string>, of = page): Promise<void> =>
  of.evaluate((given) => (globalThis as unknown as { show(of: object): void }).show(given), attributes)
const list = (name: 'heard' | 'spoken'): Promise<string[]> => page.evaluate(name)
const part = (name: string, of = page): Promise<string> => of.locator(`holdfast-progress .${name}`).first().innerText()
const bar = (name: string): Promise<string | null> => page.getByRole('progressbar').first().getAttribute(name)
const look = (of = page): Promise<string | null> =>
  of.locator('holdfast-progress .root').first().getAttribute('data-look')
const connections = (): number => host.holdfast.stats().connections

let ids = 0
const start = (more = {}) =>
  host.tenant.operations.start({ id: `op-${(ids += 1)}`, kind: 'import', label: 'Customers', owner: 'ada', ...more })

describe('<holdfast-progress>', () => {
  it('shows how far it is, to those who see it and to those who hear it, and how it ends', async () => {
    const op = await start({ unit: 'rows', phases: PHASES })
    await show({ operation: op.id })
    op.phase('Reading', { total: 1500, unit: 'rows' })
    op.advance(600, { item: 'customers/600.json' })
    await expect.poll(() => part('figures'), WAIT).toContain('600 of 1,500 rows')
    expect(await part('figures')).toContain('Reading (2 of 2)')
    expect(await part('label')).toBe('Customers')
    expect(await part('percent')).toBe('55%')
    expect(await part('item')).toBe('customers/600.json')
    expect(await bar('aria-valuenow')).toBe('55')
    expect(await bar('aria-valuetext')).toBe('55 percent, Reading (2 of 2), 600 of 1,500 rows')
    expect(await page.getByRole('progressbar', { name: 'Customers' }).count()).toBe(1)
    await op.complete({ imported: 1500, skipped: 2 })
    await expect.poll(() => look(), WAIT).toBe('completed')
    expect(await part('percent')).toBe('100%')
    expect(await part('result')).toMatch(/Imported\s+1,500\s+Skipped\s+2/)
    expect(await part('state')).toMatch(/^Completed after/)
    const heard = await list('heard')
    expect(heard.filter((event) => event.startsWith('ended'))).toEqual(['ended completed'])
    expect(heard.at(-2)).toBe('progress completed')
  })

  it('says steps and the end aloud, and not every number', async () => {
    const op = await start({ phases: PHASES })
    await show({ operation: op.id })
    await expect.poll(() => look(), WAIT).toBe('running')
    op.phase('Counting')
    await expect.poll(() => list('spoken'), WAIT).toEqual(['Counting (1 of 2)'])
    op.phase('Reading', { total: 50 })
    for (let n = 0; n < 20; n += 1) {
      op.advance(1)
      await expect.poll(() => part('figures'), WAIT).toContain(`${n + 1} of 50`)
    }
    await op.fail(new Error('No space left'))
    await expect
      .poll(() => list('spoken'), WAIT)
      .toEqual(['Counting (1 of 2)', 'Reading (2 of 2)', 'Failed: No space left'])
    expect(await part('problem')).toBe('No space left')
    expect(await look()).toBe('failed')
  }, 40_000)

  it('does not pretend to know a percentage', async () => {
    const op = await start()
    await show({ operation: op.id })
    op.advance(12)
    await expect.poll(() => part('figures'), WAIT).toBe('12')
    expect(await bar('aria-valuenow')).toBeNull()
    expect(await page.locator('.bar.unknown').count()).toBe(1)
    await op.complete()
  })

  it('says since when the worker is silent, that it waits, and that it goes on', async () => {
    const { operations } = host.tenant
    const spec = { kind: 'import', label: 'Customers', owner: 'ada', total: 10, lease: '1s' }
    const { id } = await operations.create({ ...spec, id: 'op-remote', queued: true })
    await show({ operation: id })
    await expect.poll(() => part('state'), WAIT).toBe('Waits for a worker')
    await operations.attempt(id)
    await operations.report(id, { done: 4 })
    await expect.poll(() => part('percent'), WAIT).toBe('40%')
    await expect.poll(() => look(), WAIT).toBe('stalled')
    await expect.poll(() => part('state'), WAIT).toMatch(/^Stalled: no word from the worker for [2-9] s$/)
    await operations.report(id, { state: 'waiting', message: 'For a person to say yes' })
    await expect.poll(() => part('state'), WAIT).toBe('Waiting')
    expect(await part('item')).toBe('For a person to say yes')
    await operations.end(id, { state: 'completed' })
    await expect.poll(() => look(), WAIT).toBe('completed')
    const aloud = await list('spoken')
    expect(aloud.length).toBeLessThan(6)
    expect(new Set(aloud)).toEqual(new Set(['Running', 'Stalled: no word from the worker', 'Waiting', 'Completed']))
  })

  it('cancels with its button alone, which goes when it has ended and leaves the focus in place', async () => {
    const op = await start({ total: 10 })
    await show({ operation: op.id })
    await expect.poll(() => look(), WAIT).toBe('running')
    expect(await page.getByRole('button').count()).toBe(0)
    await page.evaluate(`document.querySelector('holdfast-progress').cancellable = true`)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await expect.poll(() => op.signal.aborted, WAIT).toBe(true)
    await expect.poll(() => part('state'), WAIT).toBe('Cancelling')
    await op.cancelled()
    await expect.poll(() => look(), WAIT).toBe('cancelled')
    expect(await page.getByRole('button').count()).toBe(0)
    expect(await page.evaluate('document.activeElement.localName')).toBe('holdfast-progress')
  })

  it('shows an end to those who come after it, and keeps no connection for it', async () => {
    const op = await start()
    await op.complete('done')
    await show({ operation: op.id })
    await expect.poll(() => look(), WAIT).toBe('completed')
    expect(await part('result')).toBe('done')
    await expect.poll(connections, WAIT).toBe(0)
    expect(await list('spoken')).toEqual([])
  })

  it('says the same of an operation that does not exist and of one of somebody else', async () => {
    const op = await start({ owner: 'ben' })
    await show({ operation: op.id })
    await expect.poll(() => part('problem'), WAIT).toBe(`There is no operation ${op.id}, or it is not yours`)
    await page.reload()
    await show({ operation: 'nowhere' })
    await expect.poll(() => part('problem'), WAIT).toBe('There is no operation nowhere, or it is not yours')
    expect(await list('heard')).toEqual(['problem not_found'])
    await op.complete()
  })

  it('says why it may not connect at all, and stays away', async () => {
    const op = await start()
    await show({ operation: op.id, token: 'worthless' })
    await expect.poll(() => look(), WAIT).toBe('unknown')
    expect(await part('state')).toBe('Cannot be watched')
    expect(await part('problem')).toMatch(/token/i)
    await show({ operation: op.id, url: 'nonsense://' })
    await expect.poll(() => page.locator('holdfast-progress .problem').last().innerText(), WAIT).toMatch(/address/)
    await expect.poll(connections, WAIT).toBe(0)
    await op.complete()
  })

  it('says that the connection is away, shows the last that is known, and goes on', async () => {
    const op = await start({ total: 10 })
    await show({ operation: op.id })
    op.advance(3)
    await expect.poll(() => part('percent'), WAIT).toBe('30%')
    host.refuse(true)
    host.cut()
    await expect.poll(() => part('note'), WAIT).toBe('Reconnecting; this is the last that is known')
    expect(await part('percent')).toBe('30%')
    op.advance(3)
    host.refuse(false)
    await expect.poll(() => part('percent'), WAIT).toBe('60%')
    expect(await page.locator('holdfast-progress .note').isVisible()).toBe(false)
    await op.complete()
  })
})

describe('the element in its page', () => {
  it('watches another operation when its attribute changes, and nothing without', async () => {
    const [one, two] = [await start({ label: 'One' }), await start({ label: 'Two' })]
    await show({ operation: one.id })
    await expect.poll(() => part('label'), WAIT).toBe('One')
    const change = (id: string): Promise<unknown> =>
      page.evaluate((to) => document.querySelector('holdfast-progress')?.setAttribute('operation', to), id)
    await change(two.id)
    await expect.poll(() => part('label'), WAIT).toBe('Two')
    await one.complete()
    await change('')
    await expect.poll(() => look(), WAIT).toBe('idle')
    await expect.poll(connections, WAIT).toBe(0)
    await two.complete()
    expect((await list('heard')).filter((event) => event.startsWith('ended'))).toEqual([])
  })

  it('shares one connection with its like, keeps it when it is moved, and lets go of it when removed', async () => {
    const op = await start({ total: 10 })
    const traffic = trafficOf(page)
    for (let n = 0; n < 5; n += 1) await show({ operation: op.id, cancellable: '' })
    await expect.poll(() => page.locator('.root[data-look=running]').count(), WAIT).toBe(5)
    await page.evaluate(`
      const [first, ...others] = document.querySelectorAll('holdfast-progress')
      for (let n = 0; n < 50; n += 1) document.body.append(first)
      others.forEach((other) => other.remove())
    `)
    op.advance(5)
    await expect.poll(() => part('percent'), WAIT).toBe('50%')
    expect(traffic.sockets).toBe(1)
    expect(traffic.count('subscribe', `operation:${op.id}`)).toBe(1)
    expect(connections()).toBe(1)
    await page.evaluate(`
      globalThis.kept = document.querySelector('holdfast-progress')
      kept.remove()
    `)
    await expect.poll(connections, WAIT).toBe(0)
    await page.evaluate('document.body.append(kept)')
    op.advance(1)
    await expect.poll(() => part('percent'), WAIT).toBe('60%')
    expect(traffic.sockets).toBe(2)
    await op.complete()
  })

  it('uses a client that it is given, also before it is defined, goes on when it connects again, and leaves it connected', async () => {
    const op = await start({ total: 4 })
    await page.evaluate((id) => {
      const given = globalThis as unknown as Record<string, unknown> & { fetchToken: () => Promise<string> }
      const { Holdfast } = globalThis as unknown as { Holdfast: new (url: string, options: object) => object }
      const made = document.createElement('later-progress')
      const client = new Holdfast('/ws', { token: given.fetchToken })
      given['client'] = client
      Object.assign(made, { client, operation: id })
      document.body.append(made)
    }, op.id)
    await page.evaluate(`
      customElements.define('later-progress', class extends customElements.get('holdfast-progress') {})
    `)
    const label = page.locator('later-progress .label')
    await expect.poll(() => label.innerText(), WAIT).toBe('Customers')
    const laterLook = (): Promise<string | null> => page.locator('later-progress .root').getAttribute('data-look')
    await page.route('**/token?*', (route) => route.fulfill({ body: 'worthless' }))
    host.cut()
    await expect.poll(laterLook, WAIT).toBe('unknown')
    await page.unroute('**/token?*')
    await page.evaluate('client.connect()')
    await expect.poll(laterLook, WAIT).toBe('running')
    await page.evaluate(`document.querySelector('later-progress').remove()`)
    expect(await page.evaluate('client.status')).toBe('open')
    await op.complete()
  })

  it('goes on with a connection of its own when its client is taken away', async () => {
    const op = await start({ total: 4 })
    await show({ operation: op.id })
    await page.evaluate(
      `document.querySelector('holdfast-progress').client = new Holdfast('/ws', { token: fetchToken })`,
    )
    await expect.poll(() => look(), WAIT).toBe('running')
    await page.evaluate(`
      const shown = document.querySelector('holdfast-progress')
      shown.client.disconnect()
      shown.client = undefined
    `)
    await page.evaluate(`document.querySelector('holdfast-progress').cancel()`)
    await expect.poll(() => op.signal.aborted, WAIT).toBe(true)
    await op.cancelled()
    await expect.poll(() => look(), WAIT).toBe('cancelled')
  })

  it('takes its colours from the page, its theme, or custom properties, and keeps still where motion is unwanted', async () => {
    const op = await start()
    const colour = (selector: string, property: string): Promise<string> =>
      page
        .locator(`holdfast-progress ${selector}`)
        .first()
        .evaluate((of, name) => getComputedStyle(of).getPropertyValue(name), property)
    await show({ operation: op.id })
    await expect.poll(() => look(), WAIT).toBe('running')
    const light = await colour('.fill', 'background-color')
    await page.emulateMedia({ colorScheme: 'dark' })
    expect(await colour('.fill', 'background-color')).not.toBe(light)
    await page.evaluate(`document.querySelector('holdfast-progress').setAttribute('theme', 'light')`)
    expect(await colour('.fill', 'background-color')).toBe(light)
    await page.evaluate(`document.body.style.setProperty('--holdfast-accent', 'rgb(1, 2, 3)')`)
    expect(await colour('.fill', 'background-color')).toBe('rgb(1, 2, 3)')
    expect(await colour('.fill', 'animation-name')).toBe('sweep')
    await page.emulateMedia({ reducedMotion: 'reduce' })
    expect(await colour('.fill', 'animation-name')).toBe('none')
    await op.complete()
  })

  it('fits into 240 pixels, whatever it is called', async () => {
    const long = 'A very long name of an operation that nobody would give '.repeat(4)
    const op = await start({ label: long, total: 1_000_000, unit: 'records' })
    await page.setViewportSize({ width: 240, height: 600 })
    await show({ operation: op.id, cancellable: '' })
    op.advance(123_456, { item: 'x'.repeat(500) })
    await expect.poll(() => part('figures'), WAIT).toContain('123,456')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(240)
    await op.complete()
  })
})

describe('the script of one file', () => {
  const bundle = new URL('../../packages/client/dist/progress.bundle.js', import.meta.url)

  it('is all that a page needs, under a policy that allows its own scripts and nothing inline', async () => {
    const op = await start({ total: 10 })
    op.advance(2)
    const script = await readFile(fileURLToPath(bundle), 'utf8')
    const token = await (await fetch(`${host.url}/token?user=ada`)).text()
    const policy = `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ${host.url.replace('http', 'ws')}`
    host.files.set('/holdfast/progress.js', { body: script, headers: { 'content-type': 'text/javascript' } })
    host.files.set('/plain', {
      headers: { 'content-type': 'text/html', 'content-security-policy': policy },
      body: `<!doctype html><script type="module" src="/holdfast/progress.js"></script><holdfast-progress operation="${op.id}" token="${token}"></holdfast-progress>`,
    })
    await page.goto(`${host.url}/plain`)
    await expect.poll(() => part('percent'), WAIT).toBe('20%')
    await op.complete()
    await expect.poll(() => look(), WAIT).toBe('completed')
  })
})
