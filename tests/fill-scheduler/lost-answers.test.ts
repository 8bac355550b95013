import type { Browser, BrowserContext, Locator, Page, Request } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { launchChromium } from '../browser/chromium.js'
import { FillClient } from './kit/fill-client.js'
import { FillServer } from './kit/fill-server.js'

// What a person does on the page while the line, a proxy or the session fails at the worst moment: nothing is lost, doubled or stands still.

const WAIT = { timeout: 15_000, interval: 20 }
const PASSWORD = 'a password of a planner'
const NEXT_PASSWORD = 'another one of the same'
/** Where the page keeps its session. */
const KEPT = 'fill-scheduler.session'
const CSV = 'Lot ID,Type,Vials\nA1,VialE,100000\nA2,VialH,200000\n'

let server: FillServer
let browser: Browser
let context: BrowserContext
let page: Page
let planner: FillClient
let problems: string[]

beforeAll(async () => {
  server = await FillServer.start()
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await server?.close()
})

let planners = 0

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' })
  context.setDefaultTimeout(WAIT.timeout)
  problems = []
  page = await context.newPage()
  page.on('pageerror', (error) => problems.push(error.message))
  planners += 1
  planner = new FillClient(server.url)
})

afterEach(async () => {
  await context.close()
  expect(problems).toEqual([])
})

/** What becomes of the next request to a path: it does what it is to do and its answer is lost, or it is answered by a proxy. */
async function fail(method: string, path: RegExp, how: 'answer lost' | 'never sent' | 502 | 429): Promise<void> {
  let failed = false
  await page.route(
    (url) => path.test(url.pathname),
    async (route) => {
      if (failed || route.request().method() !== method) return route.fallback()
      failed = true
      if (typeof how === 'number') return route.fulfill({ status: how, body: '<h1>Bad gateway</h1>' })
      if (how === 'answer lost') await route.fetch()
      return route.abort('connectionreset')
    },
  )
}

/** Requests that leave the page from now on. */
function requests(method: string, path: RegExp): Request[] {
  const seen: Request[] = []
  page.on('request', (request) => {
    if (request.method() === method && path.test(new URL(request.url()).pathname)) seen.push(request)
  })
  return seen
}

/** Somebody comes whom nobody knew before, and whom this browser has signed in already. */
async function enter(place = ''): Promise<void> {
  await planner.register(`lost${planners}@example.com`, PASSWORD)
  const { token, email } = planner
  const session = { token, expiresAt: Date.now() + 3_600_000, since: 1, isByLink: false, email }
  const text = JSON.stringify(JSON.stringify(session))
  await context.addInitScript(`localStorage.getItem('${KEPT}') ?? localStorage.setItem('${KEPT}', ${text})`)
  await page.goto(`${server.url}/${place}`)
  await page.locator('.connection[data-status=open]').waitFor()
}

async function signIn(password = PASSWORD): Promise<void> {
  await page.getByLabel('E-mail address').fill(`lost${planners}@example.com`)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

const startButton = (): Locator => page.getByRole('button', { name: /^Plan the lots|^Compare \d strategies/ })
const ready = (): Promise<void> => expect.poll(() => startButton().getAttribute('aria-disabled'), WAIT).toBe('false')
const alert = (): Locator => page.getByRole('alert')
const totalOf = async (path: string): Promise<unknown> => (await planner.get(path)).body['total']

async function chooseLots(): Promise<void> {
  const file = { name: 'lots.csv', mimeType: 'text/csv', buffer: Buffer.from(CSV) }
  await page.getByLabel('CSV file with lots').setInputFiles(file)
}

describe('an answer that is lost', () => {
  it('leads to no second schedule, nor a second plan anew', async () => {
    await enter('#/new')
    await chooseLots()
    await ready()
    await fail('POST', /\/schedule$/, 'answer lost')
    await startButton().click()
    await alert().getByText('cannot be reached').waitFor()
    await startButton().click()
    await page.locator('.gantt svg .bar').first().waitFor()
    expect(await totalOf('/schedules')).toBe(1)
    await fail('POST', /\/replan$/, 'answer lost')
    await page.getByRole('button', { name: 'Re-plan' }).click()
    const replan = page.getByRole('dialog').getByRole('button', { name: 'Re-plan' })
    await replan.click()
    await alert().getByText('cannot be reached').waitFor()
    await replan.click()
    await page.getByText('re-plans').waitFor()
    expect(await totalOf('/schedules')).toBe(2)
  })

  it('leads to no second template, whichever part of keeping one was lost', async () => {
    await enter('#/new')
    await page.getByRole('button', { name: 'Save as template' }).click()
    await page.getByLabel('Name of the template').fill('Two lines')
    const keep = page.getByRole('button', { name: 'Save as the default' })
    await fail('POST', /\/config$/, 'answer lost')
    await keep.click()
    await alert().waitFor()
    await fail('POST', /\/set-default$/, 502)
    await keep.click()
    await alert().getByText('502').waitFor()
    await keep.click()
    await expect.poll(() => keep.count(), WAIT).toBe(0)
    expect((await planner.get('/configs')).body).toMatchObject({ total: 1, items: [{ is_default: true }] })
  })

  it('leaves what is deleted deleted, and says so', async () => {
    await enter()
    await planner.schedule({ name: 'To be deleted' })
    await page.getByRole('button', { name: 'Delete To be deleted' }).click()
    await fail('DELETE', /\/schedule\//, 'answer lost')
    const doom = page.getByRole('dialog').getByRole('button', { name: 'Delete' })
    await doom.click()
    await alert().waitFor()
    await doom.click()
    await page.getByText('Plan your first week').waitFor()
    await expect.poll(() => page.getByRole('dialog').count(), WAIT).toBe(0)
  })

  it('leads into the account that was opened, whichever part of opening it was lost', async () => {
    await page.goto(server.url)
    await page.getByRole('button', { name: 'Create an account' }).click()
    await page.getByLabel('E-mail address').fill(`lost${planners}@example.com`)
    await page.getByLabel('Password').fill(PASSWORD)
    await fail('POST', /\/register$/, 'answer lost')
    await page.getByRole('button', { name: 'Create account' }).click()
    await alert().waitFor()
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.getByRole('heading', { name: 'Schedules' }).waitFor()
  })

  it('does not hide that a password is set, and an account closed', async () => {
    await enter('#/account')
    await page.getByLabel('Current password').fill(PASSWORD)
    await page.getByLabel('New password').fill(NEXT_PASSWORD)
    await fail('PUT', /\/password$/, 'answer lost')
    await page.getByRole('button', { name: 'Set the new password' }).click()
    await page.getByText('The new password is set.').waitFor()
    await page.getByRole('button', { name: 'Close the account' }).click()
    await page.getByRole('dialog').getByLabel('Password').fill(NEXT_PASSWORD)
    await fail('POST', /\/close$/, 'answer lost')
    await page.keyboard.press('Enter')
    await page.getByText('Your account is closed').waitFor()
  })

  it('leaves the password as it was where the change never came to the server, and the account open', async () => {
    await enter('#/account')
    await page.getByLabel('Current password').fill(PASSWORD)
    await page.getByLabel('New password').fill(NEXT_PASSWORD)
    await fail('PUT', /\/password$/, 'never sent')
    const set = page.getByRole('button', { name: 'Set the new password' })
    await set.click()
    await alert().waitFor()
    await fail('POST', /\/close$/, 502)
    await page.getByRole('button', { name: 'Close the account' }).click()
    await page.getByRole('dialog').getByLabel('Password').fill(PASSWORD)
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByRole('alert').waitFor()
    await page.getByRole('button', { name: 'Back' }).click()
    await set.click()
    await page.getByText('The new password is set.').waitFor()
  })

  it('keeps nobody signed in who signs out', async () => {
    await enter()
    await page.route('**/auth/logout', () => {})
    await page.getByRole('button', { name: /^Account/ }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await page.evaluate(`localStorage.getItem('${KEPT}')`)).toBe(null)
  })
})

describe('what is only read', () => {
  it('is asked for again by itself, whether a proxy answers, too much was asked, or half an answer came', async () => {
    await planner.register(`lost${planners}@example.com`, PASSWORD)
    await planner.schedule({ name: 'Seen after all' })
    await fail('GET', /\/auth\/me$/, 502)
    await fail('GET', /\/schedules$/, 429)
    await page.route('**/schedules/stats', (route) => route.fulfill({ status: 200, body: '{"total":' }), { times: 1 })
    await page.goto(server.url)
    await signIn()
    await page.getByRole('link', { name: 'Seen after all' }).waitFor()
    await page.getByLabel('At a glance').waitFor()
  })

  it('does not keep a form from being sent: a check that was lost is made again', async () => {
    await enter('#/new')
    await fail('POST', /\/validate$/, 'never sent')
    await chooseLots()
    await ready()
    const checks = requests('POST', /\/validate$/)
    await page.route('**/validate', (route) => route.abort(), { times: 1 })
    await page.getByText('Paste or edit as text').click()
    await page.getByLabel('Lots as CSV text').fill(`${CSV}A3,VialE,1000\n`)
    await page.getByRole('button', { name: 'Try again' }).click()
    await ready()
    expect(checks.length).toBeGreaterThan(1)
  })

  it('is not begun again and again where it takes longer than the page waits to look for itself', async () => {
    await page.clock.install()
    await page.routeWebSocket(/\/ws/, (line) => void line.close())
    await planner.register(`lost${planners}@example.com`, PASSWORD)
    const { id } = await planner.schedule({ name: 'Slowly read' })
    await page.goto(`${server.url}/#/schedules`)
    await signIn()
    await page.getByRole('link', { name: 'Slowly read' }).waitFor()
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    await page.route(`**/schedule/${id}`, (route) => held.then(() => route.continue()), { times: 1 })
    const reads = requests('GET', /\/schedule\/\w+$/)
    await page.getByRole('link', { name: 'Slowly read' }).click()
    await expect.poll(() => reads.length, WAIT).toBe(1)
    await page.clock.fastForward(10_000)
    await page.clock.fastForward(10_000)
    expect(reads).toHaveLength(1)
    release()
    await page.getByRole('heading', { name: 'Slowly read' }).waitFor()
  })

  it('is right although no word of the server comes: a run is cancelled, and its page says so', async () => {
    await page.routeWebSocket(/\/ws/, (line) => void line.close())
    await planner.register(`lost${planners}@example.com`, PASSWORD)
    const { id } = await planner.schedule({ name: 'Long', strategy: 'improver', lots_data: many() })
    await page.goto(`${server.url}/#/schedules/${id}`)
    await signIn()
    await page.getByRole('button', { name: 'Cancel the run' }).click()
    await page.getByText('The run was cancelled').waitFor()
  })
})

const many = (): object[] =>
  Array.from({ length: 200 }, (_, at) => ({ lot_id: `L${at}`, lot_type: `T${at % 4}`, vials: 20_000 + at * 7_919 }))

describe('a session that has ended', () => {
  /** The token is good no more, as after a day, and nobody has told the page. */
  async function endSession(): Promise<void> {
    await page.evaluate(`{
      const kept = JSON.parse(localStorage.getItem('${KEPT}'))
      localStorage.setItem('${KEPT}', JSON.stringify({ ...kept, token: 'of yesterday' }))
    }`)
  }

  it('leaves a form as it was written, in front of which somebody signs in again, and it is sent', async () => {
    await enter('#/new')
    await chooseLots()
    await page.getByLabel('Name', { exact: true }).fill('Half written')
    await ready()
    const otherTab = await context.newPage()
    await otherTab.goto(`${server.url}/#/new`)
    await otherTab.getByLabel('Name', { exact: true }).fill('In another tab')
    // A tab behind another is drawn once a second.
    await page.bringToFront()
    await planner.put('/auth/password', { current_password: PASSWORD, new_password: NEXT_PASSWORD })
    await planner.login(planner.email, NEXT_PASSWORD)
    const dialog = page.getByRole('dialog', { name: 'Sign in again' })
    await dialog.waitFor()
    await page.keyboard.press('Escape')
    await dialog.getByLabel('Password').fill(PASSWORD)
    await page.keyboard.press('Enter')
    await dialog.getByRole('alert').waitFor()
    await dialog.getByLabel('Password').fill(NEXT_PASSWORD)
    await page.keyboard.press('Enter')
    await expect.poll(() => dialog.count(), WAIT).toBe(0)
    await otherTab.locator('.connection[data-status=open]').waitFor()
    expect(await otherTab.getByLabel('Name', { exact: true }).inputValue()).toBe('In another tab')
    await startButton().click()
    await page.locator('.gantt svg .bar').first().waitFor()
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Half written')
    await page.getByRole('link', { name: 'Schedules' }).first().click()
    await planner.schedule({ name: 'Heard of afterwards' })
    await page.getByRole('link', { name: 'Heard of afterwards' }).waitFor()
  })

  it('is not that of somebody else who signs in meanwhile, and nothing that was written is theirs', async () => {
    await enter('#/new')
    await page.getByLabel('Name', { exact: true }).fill('Of the one before')
    await endSession()
    await chooseLots()
    const dialog = page.getByRole('dialog', { name: 'Sign in again' })
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    await page.route('**/auth/login', (route) => held.then(() => route.continue()))
    await dialog.getByLabel('Password').fill(PASSWORD)
    await page.keyboard.press('Enter')
    const other = new FillClient(server.url)
    await other.register(`other${planners}@example.com`, PASSWORD)
    const otherTab = await context.newPage()
    await otherTab.goto(server.url)
    await otherTab.getByLabel('E-mail address').fill(other.email)
    await otherTab.getByLabel('Password').fill(PASSWORD)
    await otherTab.getByRole('button', { name: 'Sign in' }).click()
    await otherTab.getByRole('heading', { name: 'Schedules' }).waitFor()
    const kept = await otherTab.evaluate(`localStorage.getItem('${KEPT}')`)
    await page.bringToFront()
    await page.locator('.connection[data-status=open]').waitFor()
    const answered = page.waitForResponse('**/auth/login')
    release()
    await answered
    // What comes behind it comes later.
    await page.evaluate(`fetch('/health/live').then((answer) => answer.text())`)
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('')
    expect(await page.evaluate(`localStorage.getItem('${KEPT}')`)).toBe(kept)
  })

  it('is not ended by a link that is good no more, opened where the page is already', async () => {
    await enter()
    const answered = page.waitForResponse('**/auth/code')
    await page.goto(`${server.url}/#code=of-yesterday`)
    expect((await answered).status()).toBe(401)
    await page.getByRole('heading', { name: 'Schedules' }).waitFor()
    await page.locator('.connection[data-status=open]').waitFor()
    expect(page.url()).not.toContain('code')
  })

  it('ends for good where nobody signs in again', async () => {
    await enter('#/new')
    await page.getByLabel('Name', { exact: true }).fill('Of the one before')
    await endSession()
    await page.getByRole('link', { name: 'Templates' }).click()
    await page.getByRole('dialog', { name: 'Sign in again' }).getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(await page.evaluate(`localStorage.getItem('${KEPT}')`)).toBe(null)
  })
})
