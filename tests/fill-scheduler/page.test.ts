import { readFile } from 'node:fs/promises'
import type { Browser, BrowserContext, Locator, Page, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { generateLots, lotsAsCsv } from '../../apps/fill-scheduler/src/io/generate.js'
import { launchChromium } from '../browser/chromium.js'
import { TcpProxy } from '../kit/tcp-proxy.js'
import { FillServer } from './kit/fill-server.js'
import { machineTime } from '../kit/machine-time.js'

const WAIT = { timeout: 15_000, interval: 20 }
const PASSWORD = 'a password of a planner'
const HOSTILE = '<img src=x onerror=document.title="harmed">'
const SCREENS = process.env['FILL_SCREENS']

let server: FillServer
let proxy: TcpProxy
let url: string
let browser: Browser
let context: BrowserContext
let page: Page
let problems: string[]

beforeAll(async () => {
  // Its watch takes a moment to begin, in which nothing is to be measured.
  machineTime()
  server = await FillServer.start({ example: true })
  proxy = await TcpProxy.start(Number(new URL(server.url).port))
  url = proxy.url.replace('ws:', 'http:').replace('/ws', '')
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await proxy?.close()
  await server?.close()
})

beforeEach(async () => {
  context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
    acceptDownloads: true,
  })
  context.setDefaultTimeout(WAIT.timeout)
  problems = []
  page = await open()
})

afterEach(async () => {
  proxy.switchUpstream(Number(new URL(server.url).port))
  await context.close()
  expect(problems).toEqual([])
})

/** Opens a tab, and collects what the browser complains of: errors, and what the content policy forbids. */
async function open(): Promise<Page> {
  const opened = await context.newPage()
  opened.on('pageerror', (error) => problems.push(error.message))
  opened.on('console', (message) => {
    if (message.type() === 'error' && !/net::ERR|WebSocket|status of 40[013]/.test(message.text()))
      problems.push(message.text())
  })
  return opened
}

/** Every percentage that the page shows from now on, through reloads; 0 as it has not heard of any yet. */
async function everyPercent(): Promise<number[]> {
  const seen: number[] = []
  await page.exposeFunction('note', (value: number) => void (value > 0 && seen.push(value)))
  await page.addInitScript(`new MutationObserver(() => {
    const value = document.querySelector('.run [role=progressbar]')?.getAttribute('aria-valuenow')
    if (value != null && value !== window.last) note(Number((window.last = value)))
  }).observe(document, { subtree: true, childList: true, attributes: true })`)
  await page.reload()
  return seen
}

let planners = 0

/** A planner of one's own, signed in. */
async function register(): Promise<void> {
  planners += 1
  await page.goto(url)
  await page.getByRole('button', { name: 'Create an account' }).click()
  await page.getByLabel('E-mail address').fill(`page${planners}@example.com`)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('heading', { name: 'Schedules' }).waitFor()
}

/** Brings lots into the form of a new schedule, as a file that is chosen. */
async function choose(csv: string, name = 'lots.csv'): Promise<void> {
  await page.getByRole('link', { name: 'New schedule' }).first().click()
  await take(csv, name)
}

/** Chooses a file in the form that is there. */
async function take(csv: string, name: string): Promise<void> {
  await page.getByLabel('CSV file with lots').setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(csv) })
}

/** Drops a file of lots onto the form of a new schedule. */
async function drop(csv: string): Promise<void> {
  await page.getByRole('link', { name: 'New schedule' }).first().click()
  await page.locator('.drop').waitFor()
  const dataTransfer = await page.evaluateHandle((text) => {
    const transfer = new DataTransfer()
    transfer.items.add(new File([text], 'lots.csv', { type: 'text/csv' }))
    return transfer
  }, csv)
  await page.dispatchEvent('.drop', 'drop', { dataTransfer })
}

const startButton = (): Locator => page.getByRole('button', { name: /^Plan the lots|^Compare \d strategies/ })
const ready = (): Promise<void> => expect.poll(() => startButton().getAttribute('aria-disabled'), WAIT).toBe('false')
const badge = (): Promise<string> => page.locator('.facts .badge').innerText()
const percentOf = async (of: Page = page): Promise<number> =>
  Number((await of.locator('.run [role=progressbar]').getAttribute('aria-valuenow')) ?? 0)

/** Pictures to look at, where somebody wants them. */
async function picture(name: string): Promise<void> {
  if (SCREENS) await page.screenshot({ path: `${SCREENS}/${name}.png`, fullPage: true })
}

describe('a planner', () => {
  it('comes in by a link that is good once, though its answer be lost, and leaves no trace, and sees the example being planned', async () => {
    const lose = async (route: Route): Promise<void> => {
      await route.fetch()
      await route.abort()
    }
    await page.route('**/auth/code', lose, { times: 1 })
    await page.goto(url + new URL(server.signInUrl ?? '').hash.replace(/^/, '/'))
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { name: 'Schedules' }).waitFor()
    expect(page.url()).not.toContain('code')
    expect(await page.evaluate('history.length')).toBeLessThanOrEqual(2)
    await expect
      .poll(() => page.locator('tbody .badge[data-status=completed]').count(), { ...WAIT, timeout: 15_000 })
      .toBe(3)
    await picture('example-list')
    await page.reload()
    await page.getByRole('link', { name: 'Example lots, exact' }).click()
    await page.getByText('Proven optimal.').waitFor()
    expect(await page.locator('.tile').first().innerText()).toContain('497.2 h')
    await page.getByRole('link', { name: 'Comparisons' }).click()
    await page.getByRole('link', { name: /^Example lots/ }).click()
    await page.getByText('48.0 h (8.8 %) less than the given order').waitFor()
    expect(await page.locator('tr[data-best=true] .delta[data-sign=less]').allInnerTexts()).toEqual([
      '−48.0',
      '−24.0',
      '−24.0',
    ])
    const stranger = await (await browser.newContext()).newPage()
    await stranger.goto(`${url}/${new URL(server.signInUrl ?? '').hash}`)
    await stranger.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await stranger.getByRole('alert').count()).toBe(1)
    await stranger.context().close()
  })

  it('is told of every wrong row and why, mends them, and plans; what somebody wrote stays text', async () => {
    await register()
    await drop(
      `Lot ID,Type,Vials\nA1,VialE,100000\nA2,VialE,many\nA1,VialH,5000\nA4,VialE,9999999\n"${HOSTILE.replaceAll('"', '""')}",VialH,700000\n`,
    )
    const wrong = page.locator('tbody[data-tone=bad]')
    await expect.poll(() => wrong.count(), WAIT).toBe(3)
    expect(await wrong.locator('th[scope=row]').allInnerTexts()).toEqual(['3', '4', '5'])
    for (const reason of await wrong.locator('.reasons').allInnerTexts()) expect(reason.length).toBeGreaterThan(10)
    expect(await startButton().getAttribute('aria-disabled')).toBe('true')
    await picture('bad-rows')
    await take('PK\u0003\u0004', 'lots.xlsx')
    await page.getByText('lots.xlsx: This is an Excel workbook.').waitFor()
    expect(await wrong.count()).toBe(3)
    await take('Lot,Kind\nA1,VialE', 'Week 48.csv')
    await page.locator('.lots-panel .notice.bad').getByText('Vials').first().waitFor()
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Week 48')
    await page.getByText('Paste or edit as text').click()
    await page
      .getByLabel('Lots as CSV text')
      .fill(
        `Lot ID,Type,Vials\nA1,VialE,100000\n"${HOSTILE.replaceAll('"', '""')}",${HOSTILE.replaceAll('"', '')},700000\n`,
      )
    await page.getByLabel('Name', { exact: true }).fill(HOSTILE)
    await ready()
    await startButton().click()
    await page.locator('.gantt svg .bar').first().waitFor()
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(HOSTILE)
    await page.getByRole('button', { name: 'Table' }).click()
    await page.getByRole('cell', { name: HOSTILE }).first().waitFor()
    await page.getByRole('link', { name: 'Schedules' }).first().click()
    await page.getByRole('link', { name: HOSTILE }).waitFor()
    await page.getByLabel('Search by name').fill('nothing of that name')
    await page.getByText('No schedule matches').waitFor()
    await page.getByRole('button', { name: 'Show all schedules' }).click()
    await page.getByRole('button', { name: `Delete ${HOSTILE}` }).click()
    await page.getByRole('dialog').getByText('This cannot be undone.').waitFor()
    expect(await page.locator('img').count()).toBe(0)
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.getByText('Plan your first week').waitFor()
    await expect.poll(() => page.evaluate('document.activeElement.id'), WAIT).toBe('main')
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.title()).not.toBe('harmed')
  })

  it('reads the chart with the keyboard, downloads, re-plans from a moment, compares, and signs out', async () => {
    await register()
    await page.getByRole('link', { name: 'New schedule' }).first().click()
    await page.getByRole('button', { name: 'Load the example' }).click()
    const start = await page.getByLabel('Start', { exact: true }).inputValue()
    expect(start).toMatch(/T08:00$/)
    expect(Date.parse(`${start}Z`)).toBeGreaterThan(Date.now() - 86_400_000)
    await page.getByLabel('Longest first').check()
    await ready()
    await startButton().click()
    const chart = page.getByRole('application')
    await chart.focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    await expect.poll(() => page.locator('.gantt-details').innerText(), WAIT).toContain('into the 120 h window')
    const inView = page.locator('.zoom .muted')
    const before = await inView.innerText()
    await page.keyboard.press('+')
    await expect.poll(() => inView.innerText(), WAIT).not.toBe(before)
    const zoomed = await inView.innerText()
    await chart.hover()
    await page.mouse.wheel(0, -300)
    await expect.poll(() => inView.innerText(), WAIT).not.toBe(zoomed)
    await page.keyboard.press('0')
    await expect.poll(() => inView.innerText(), WAIT).toBe(before)
    for (const [format, beginning] of [
      ['csv', 'Start,'],
      ['pdf', '%PDF'],
      ['xlsx', 'PK'],
    ] as const) {
      await page.getByRole('button', { name: 'Download' }).click()
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.locator(`[data-format=${format}]`).click(),
      ])
      expect(download.suggestedFilename()).toMatch(new RegExp(`\\.${format}$`))
      expect((await readFile(await download.path())).toString('latin1')).toContain(beginning)
    }
    await page.getByRole('button', { name: 'Re-plan' }).click()
    await page.getByLabel('Further lots').fill('Lot ID,Type,Vials\nN1,VialE,250000')
    const replan = page.getByRole('dialog').getByRole('button', { name: 'Re-plan' })
    await expect.poll(() => replan.getAttribute('aria-disabled'), WAIT).toBe('false')
    await replan.click()
    await page.getByText('Left as it was').waitFor()
    await page.getByRole('button', { name: 'Table' }).click()
    await page.getByRole('cell', { name: 'N1', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Chart' }).click()
    expect(await page.locator('.facts').innerText()).toContain('re-plans')
    await picture('replanned')
    await page.getByRole('button', { name: 'Compare' }).click()
    for (const name of ['Smart pack', 'Shortest first']) await page.getByRole('dialog').getByLabel(name).check()
    await page.getByRole('button', { name: 'Compare 3 strategies' }).click()
    await page.getByText('is best').waitFor()
    expect(await page.locator('tr[data-best=true]').count()).toBe(1)
    expect(await page.getByRole('application').count()).toBe(4)
    await picture('compared')
    const otherTab = await open()
    await otherTab.goto(url)
    await otherTab.getByRole('heading', { name: 'Schedules' }).waitFor()
    await page.getByRole('button', { name: /^Account/ }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await otherTab.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await page.evaluate(`localStorage.getItem('fill-scheduler.session')`)).toBe(null)
  }, 120_000)

  it('keeps settings as a template, and a token that is no longer good leads to signing in again', async () => {
    await register()
    await page.getByRole('link', { name: 'Templates' }).click()
    await page.getByRole('link', { name: 'New template' }).first().click()
    await page.getByLabel('Name', { exact: true }).fill('Two lines')
    await page.getByText('Line and cleaning').click()
    await page.getByLabel('Lines side by side').fill('99')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('alert').waitFor()
    await page.getByLabel('Lines side by side').fill('2')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('button', { name: 'Make default' }).click()
    await page.getByRole('button', { name: 'No longer default' }).waitFor()
    await picture('templates')
    await page.evaluate(
      `localStorage.setItem('fill-scheduler.session', JSON.stringify({ token: 'old', expiresAt: Date.now() + 1e6 }))`,
    )
    await page.reload()
    await page.getByText('Your session has ended.').waitFor()
    await page.getByLabel('E-mail address').fill(`page${planners}@example.com`)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'No longer default' }).waitFor()
    await page.getByRole('link', { name: 'Schedules' }).click()
    await page.getByRole('link', { name: 'New schedule' }).first().click()
    await page.getByText('Line and cleaning').click()
    expect(await page.getByLabel('Lines side by side').inputValue()).toBe('2')
  })
})

describe('an account', () => {
  it('gets another password without a form being lost, and goes for good', async () => {
    await register()
    const otherTab = await open()
    await otherTab.goto(`${url}/#/new`)
    await otherTab.getByLabel('Name', { exact: true }).fill('Half written')
    await page.getByRole('button', { name: /^Account/ }).click()
    await page.getByRole('link', { name: 'Password and account' }).click()
    await page.getByLabel('Current password').fill('not the password')
    await page.getByLabel('New password').fill(`${PASSWORD}, too`)
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    await page.getByLabel('Current password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Set the new password' }).click()
    await page.getByText('The new password is set.').waitFor()
    for (const tab of [page, otherTab]) await tab.locator('.connection[data-status=open]').waitFor()
    expect(await otherTab.getByLabel('Name', { exact: true }).inputValue()).toBe('Half written')
    await page.getByRole('button', { name: 'Close the account' }).click()
    await page.getByRole('dialog').getByLabel('Password').fill(`${PASSWORD}, too`)
    await page.keyboard.press('Enter')
    await page.getByText('Your account is closed').waitFor()
    await otherTab.getByRole('heading', { name: 'Sign in' }).waitFor()
  })
})

describe('a run of 500 lots', () => {
  /** Wishes that cannot all be met: however good the improver gets, it has no proof and goes on until its time is over. */
  const csv = lotsAsCsv(generateLots())
    .trim()
    .split(/\r?\n/)
    .map((line, row) => `${line},${row === 0 ? 'Due' : `2025-0${1 + (row % 9)}-15`}`)
    .join('\n')

  /** Starts the improver with a time limit, in seconds. */
  async function improve(seconds: number, name: string): Promise<void> {
    await choose(csv, `${name}.csv`)
    await page.getByLabel('Start', { exact: true }).fill('2025-01-01T08:00')
    await page.getByLabel('Improver', { exact: false }).first().check()
    await page.getByText('Fine tuning').click()
    await page.getByLabel('Improver: time limit').fill(String(seconds))
    await ready()
    await startButton().click()
    await page.locator('.run').waitFor()
  }

  const timeLeft = async (): Promise<string | undefined> =>
    /Time left\s*(.+)/.exec((await page.locator('.run .figures').allInnerTexts()).join())?.[1]

  it('moves truly and never falls, tells how long, and neither a reload nor a cut network changes anything', async () => {
    await register()
    const seen = await everyPercent()
    await improve(15, 'five hundred')
    const reaches = (percent: number): Promise<void> =>
      expect.poll(() => percentOf(), WAIT).toBeGreaterThanOrEqual(percent)
    await expect.poll(timeLeft, WAIT).toMatch(/about/)
    await reaches(15)
    await picture('run')
    await page.reload()
    await reaches(Math.max(...seen))
    proxy.switchUpstream(undefined)
    proxy.cut()
    await page.getByText('The connection is lost.').waitFor()
    const last = await percentOf()
    expect(last).toBe(seen.at(-1))
    await picture('run-cut')
    proxy.switchUpstream(Number(new URL(server.url).port))
    await expect.poll(() => page.getByText('The connection is lost.').count(), WAIT).toBe(0)
    await reaches(Math.max(last + 1, 80))
    // It may have ended since.
    expect(Number(/\d+/.exec((await timeLeft()) ?? '0 s')?.[0])).toBeLessThan(6)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    // However seldom a busy machine draws.
    expect(new Set(seen).size).toBeGreaterThan(4)
    await page.locator('.gantt svg .bar').first().waitFor({ timeout: 15_000 })
    expect(await badge()).toBe('Completed')
    expect(await page.locator('.notice').first().innerText()).toMatch(
      /Within \d+\.\d\d % of the shortest possible|Proven optimal/,
    )
    expect(await page.locator('.gantt svg rect').count()).toBeLessThan(6000)
    await picture('five-hundred')
    for (let times = 0; times < 5; times += 1) await page.getByRole('button', { name: 'Zoom in' }).click()
    await page.locator('.bar-text.fill').first().waitFor()
    await picture('five-hundred-near')
  }, 120_000)

  it('is cancelled within a second', async () => {
    await register()
    await improve(60, 'to be cancelled')
    await expect.poll(() => percentOf(), WAIT).toBeGreaterThan(1)
    await page.getByRole('button', { name: 'Cancel the run' }).click()
    const asked = machineTime()
    await expect.poll(badge, WAIT).toBe('Cancelled')
    expect(machineTime() - asked).toBeLessThan(1_000)
    await page.getByText('The run was cancelled').waitFor()
    expect(await page.locator('.run').count()).toBe(0)
  })
})
