import { linkSync, writeFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Running, type Workplace, createWorkplace } from '../cli/command.js'
import { launchChromium } from './chromium.js'
import { machineTime } from '../kit/machine-time.js'

const FILES = 1500
/** So many take longer than any test, however slow its machine: what is to be cancelled does not end before. */
const FILES_OF_LONG = 12_000
const WAIT = { timeout: 15_000, interval: 50 }

let place: Workplace
let url: string
let server: Running
let browser: Browser
let context: BrowserContext
let page: Page
let problems: string[]

beforeAll(async () => {
  // Its watch takes a moment to begin, in which nothing is to be measured.
  machineTime()
  place = await createWorkplace()
  for (const name of ['node_modules', 'small']) {
    const count = name === 'small' ? 20 : FILES
    const directory = join(place.directory, name, 'package/lib')
    await mkdir(directory, { recursive: true })
    const files = Array.from({ length: count }, (_, n) => writeFile(join(directory, `${n}.ts`), 'line\n'.repeat(n)))
    await Promise.all(files)
  }
  await mkdir(join(place.directory, 'long'))
  const one = join(place.directory, 'long/0.ts')
  writeFileSync(one, 'line\n')
  for (let n = 1; n < FILES_OF_LONG; n += 1) linkSync(one, join(place.directory, `long/${n}.ts`))
  ;({ url, running: server } = await place.serve('--demo'))
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await place?.close()
})

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' })
  problems = []
  page = await open()
})

afterEach(async () => {
  await context.close()
  expect(problems).toEqual([])
})

/** Opens the page, and collects what the browser complains of: errors, and what the content policy forbids. */
async function open(path = '/'): Promise<Page> {
  const opened = await context.newPage()
  opened.on('pageerror', (error) => problems.push(error.message))
  opened.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('net::ERR')) problems.push(message.text())
  })
  await opened.goto(url + path)
  return opened
}

/** Starts an index that does not end by itself in time. */
async function startLong(of: Page = page): Promise<void> {
  await of.locator('#path').fill('long')
  await of.locator('#start-button').click()
  await expect.poll(() => text('#operation-label', of), WAIT).toBe('Index of long')
  await expect.poll(() => of.locator('#progress').getAttribute('data-state'), WAIT).toBe('running')
}

const text = (selector: string, of: Page = page): Promise<string> => of.locator(selector).innerText()
const state = (): Promise<string | null> => page.locator('#progress').getAttribute('data-state')
const percent = async (of: Page = page): Promise<number> =>
  Number(await of.locator('#bar').getAttribute('aria-valuenow'))

function operationOf(of: Page): string | undefined {
  return /#operation=(.+)$/.exec(of.url())?.[1]
}

describe('the operation', () => {
  it('starts by itself on a first visit, moves forward only, and ends with its result', async () => {
    const seen: number[] = []
    await expect
      .poll(async () => {
        seen.push(await percent())
        return state()
      }, WAIT)
      .toBe('completed')
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(seen.some((value) => value > 10 && value < 90)).toBe(true)
    expect(await text('#totals')).toContain('1,500')
    expect(await page.locator('#result table').count()).toBe(2)
    expect(await page.locator('#result tbody').last().locator('tr').count()).toBe(10)
  })

  it('goes on where it is through a reload, and is the same one', async () => {
    await expect.poll(() => percent(), WAIT).toBeGreaterThan(20)
    const before = { id: operationOf(page), percent: await percent() }
    await page.reload()
    await expect.poll(() => percent(), WAIT).toBeGreaterThan(0)
    expect(operationOf(page)).toBe(before.id)
    expect(await percent()).toBeGreaterThanOrEqual(before.percent)
    await expect.poll(() => state(), WAIT).toBe('completed')
  })

  it('is shown with its result to whoever comes after its end', async () => {
    await expect.poll(() => state(), WAIT).toBe('completed')
    const late = await open(`/#operation=${operationOf(page)}`)
    await expect.poll(() => text('#totals', late), WAIT).toContain('1,500')
  })

  it('is cancelled within a moment', async () => {
    await startLong()
    await page.locator('#cancel').click()
    const asked = machineTime()
    await expect.poll(() => state(), { ...WAIT, interval: 20 }).toBe('cancelled')
    expect(machineTime() - asked).toBeLessThan(1_000)
    expect(await page.locator('#cancel').isVisible()).toBe(false)
  })

  it('is started once, though the line breaks before the page hears of it', async () => {
    const visit = await browser.newContext()
    const tab = await visit.newPage()
    await tab.addInitScript(() => localStorage.setItem('holdfast-demo:name', 'Nobody else'))
    let losses = 0
    await tab.routeWebSocket(/\/ws/, (line) => {
      const far = line.connectToServer()
      let call: number | undefined
      line.onMessage((data) => {
        if (String(data).includes('"demo.index"')) call = (JSON.parse(String(data)) as { id: number }).id
        far.send(data)
      })
      far.onMessage((data) => {
        const isAnswer = call !== undefined && (JSON.parse(String(data)) as { id?: number }).id === call
        if (!isAnswer || losses === 1) return line.send(data)
        losses += 1
        void line.close()
      })
    })
    await tab.goto(url)
    await expect.poll(() => tab.locator('#progress').getAttribute('data-state'), WAIT).toBe('completed')
    expect(losses).toBe(1)
    expect(await tab.locator('#jobs .job').count()).toBe(1)
    expect(await tab.locator('#start-problem').isVisible()).toBe(false)
    await visit.close()
  })

  it('is cancelled, though the line breaks before the page hears of that', async () => {
    const tab = await context.newPage()
    let losses = 0
    await tab.routeWebSocket(/\/ws/, (line) => {
      const far = line.connectToServer()
      let cancel: number | undefined
      line.onMessage((data) => {
        const { type, id } = JSON.parse(String(data)) as { type: string; id: number }
        if (type === 'cancel') cancel = id
        far.send(data)
      })
      far.onMessage((data) => {
        const isAnswer = cancel !== undefined && (JSON.parse(String(data)) as { id?: number }).id === cancel
        if (!isAnswer || losses === 1) return line.send(data)
        losses += 1
        void line.close()
      })
    })
    await tab.goto(url)
    const stateIn = (): Promise<string | null> => tab.locator('#progress').getAttribute('data-state')
    await startLong(tab)
    await tab.locator('#cancel').click()
    await expect.poll(stateIn, WAIT).toBe('cancelled')
    expect(losses).toBe(1)
    await expect.poll(() => text('#status', tab), WAIT).toBe('Connected')
    expect(await text('#journal', tab)).not.toContain('Not cancelled')
  })

  it('is listed, though what ended before was not answered at first', async () => {
    await expect.poll(() => state(), WAIT).toBe('completed')
    const visit = await browser.newContext()
    const tab = await visit.newPage()
    const name = await page.locator('#name').inputValue()
    await tab.addInitScript((user) => localStorage.setItem('holdfast-demo:name', user), name)
    await tab.route('**/api/v1/operations?*', (route) => route.fulfill({ status: 502, json: { error: {} } }), {
      times: 1,
    })
    await tab.goto(url)
    await expect.poll(() => tab.locator('.job[data-state=completed]').count(), WAIT).toBeGreaterThan(0)
    await visit.close()
  })

  it('says what is wrong with a directory outside of the one it was started in', async () => {
    await page.locator('#path').fill('../../etc')
    await page.locator('#start-button').click()
    await expect.poll(() => text('#start-problem'), WAIT).toContain('lies outside')
  })

  it('is started, left and cancelled with the keyboard alone', async () => {
    await expect.poll(() => state(), WAIT).toBe('running')
    const first = operationOf(page)
    await page.locator('#path').focus()
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.type('long')
    await page.keyboard.press('Enter')
    await expect.poll(() => operationOf(page), WAIT).not.toBe(first)
    await expect.poll(() => state(), WAIT).toBe('running')
    for (let presses = 0; presses < 6 && (await focused()) !== 'cancel'; presses += 1) await page.keyboard.press('Tab')
    expect(await focused()).toBe('cancel')
    await page.keyboard.press('Enter')
    await expect.poll(() => state(), WAIT).toBe('cancelled')
    expect(await focused()).toBe('operation-title')
  })
})

/** What the server says while the page is cut off. */
const SPOKEN = ['The tide does not wait for you.', 'You cannot hear this yet.', 'But it is kept for you, in order.']

/** The journal counts what the room shows as recovered: all that was spoken, but for what came when the page was back. */
async function sawRecovery(): Promise<void> {
  await expect.poll(() => text('#journal'), WAIT).toMatch(/Recovered \d messages?, in order/)
  const count = await page.locator('.message.recovered').count()
  expect(count).toBeGreaterThan(0)
  expect(await text('#journal')).toContain(`Recovered ${count} message`)
}

const focused = (): Promise<string | undefined> => page.evaluate(() => document.activeElement?.id)

describe('a cut of the network', () => {
  it('loses nothing: messages are recovered in order and once, the operation is right again, and both say so', async () => {
    await page.locator('#text').fill('before')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('#messages'), WAIT).toContain('before')
    await page.locator('#cut').click()
    await expect.poll(() => text('#status'), WAIT).toBe('Network cut')
    await page.locator('#text').fill('written while cut off')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('#messages'), WAIT).toContain('waits')
    await expect.poll(() => text('#status'), WAIT).toBe('Connected')
    for (const line of SPOKEN) await expect.poll(() => page.getByText(line).count(), WAIT).toBe(1)
    await expect.poll(() => page.locator('.message.pending').count(), WAIT).toBe(0)
    const offsets = (await page.locator('.message-place').allInnerTexts()).map((place) => Number(place.slice(1)))
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
    expect(new Set(offsets).size).toBe(offsets.length)
    expect(await page.getByText('written while cut off').count()).toBe(1)
    await sawRecovery()
    await expect.poll(() => state(), WAIT).toBe('completed')
  })

  it('leaves the focus where it is, and an operation that has ended as it ended', async () => {
    await expect.poll(() => state(), WAIT).toBe('completed')
    await page.locator('#cut').focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('#status'), WAIT).toBe('Network cut')
    expect(await focused()).toBe('cut')
    expect(await page.getByText('Network cut: no byte passes').count()).toBe(1)
    const note = (): string => getComputedStyle(document.querySelector('#operation-state')!, '::after').content
    expect(await page.evaluate(note)).toBe('none')
    await sawRecovery()
    expect(await focused()).toBe('cut')
  })
})

describe('the room', () => {
  it('shows members with their tabs, who types, and what is said', async () => {
    await expect.poll(() => text('#members'), WAIT).toContain('(you)')
    const second = await open()
    await expect.poll(() => text('#members'), WAIT).toContain('2 tabs')
    const guest = await open('/?as=guest')
    await expect.poll(() => page.locator('.member').count(), WAIT).toBe(2)
    const name = await guest.locator('#name').inputValue()
    await guest.locator('#text').pressSequentially('hel')
    await expect.poll(() => text('#typing'), WAIT).toContain(`${name} types`)
    await guest.locator('#text').pressSequentially('lo')
    await guest.keyboard.press('Enter')
    await expect.poll(() => page.locator('.message').last().innerText(), WAIT).toContain('hello')
    await expect.poll(() => text('#typing'), WAIT).toBe('')
    await second.close()
    await expect.poll(() => text('#members'), { ...WAIT, timeout: 20_000 }).not.toContain('2 tabs')
  })

  it('takes what is published from a terminal, and the page names that command', async () => {
    expect(await text('#commands')).toContain(
      `npx holdfast publish room:lobby '{"text":"hello"}' --event chat --tenant demo`,
    )
    const published = await place.run(
      'publish',
      'room:lobby',
      '{"text":"from a terminal"}',
      '--event',
      'chat',
      '--tenant',
      'demo',
    )
    const { offset } = JSON.parse(published.stdout) as { offset: number }
    await expect.poll(() => page.locator('.message').last().innerText(), WAIT).toContain(`#${offset}`)
    expect(await page.locator('.message').last().innerText()).toContain('from a terminal')
  })

  it('lets a person have another name', async () => {
    await page.locator('#name').fill('Zoë 2')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('#members').catch(() => ''), WAIT).toContain('Zoë 2 (you)')
  })
})

describe('a server that is killed and started again', () => {
  it('finds its pages back by itself; what its memory held is announced as lost, and nothing pretends to run', async () => {
    await expect.poll(() => percent(), WAIT).toBeGreaterThan(5)
    await page.locator('#text').fill('before the end')
    await page.keyboard.press('Enter')
    await expect.poll(() => text('#messages'), WAIT).toContain('before the end')
    server.child.kill('SIGKILL')
    await expect.poll(() => text('#status'), WAIT).toBe('Reconnecting')
    ;({ running: server } = await place.serve('--demo', '--port', new URL(url).port))
    await expect.poll(() => text('#status'), { ...WAIT, timeout: 40_000 }).toBe('Connected')
    await expect.poll(() => text('#messages'), WAIT).toContain('no longer kept')
    await expect.poll(() => text('#start-problem'), WAIT).toContain('Start another one')
    expect(await page.locator('#progress').isVisible()).toBe(false)
    expect(await state()).toBeNull()
    await page.locator('#start-button').click()
    await expect.poll(() => state(), WAIT).toBe('running')
    expect(await page.locator('#start-problem').isVisible()).toBe(false)
  }, 60_000)
})

describe('the page', () => {
  it.each([
    ['light', 360],
    ['dark', 360],
    ['light', 768],
  ] as const)('fits: %s, %i pixels wide', async (colorScheme, width) => {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 780 })
    await page.locator('#path').fill('small')
    await page.locator('#pace').selectOption('full')
    await page.locator('#start-button').click()
    await expect.poll(() => text('#result').catch(() => ''), WAIT).toContain('.ts')
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
  })

  it('has a theme to choose, which stays', async () => {
    await page.locator('#theme').click()
    await page.locator('#theme').click()
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark')
    await page.reload()
    await expect.poll(() => page.locator('html').getAttribute('data-theme'), WAIT).toBe('dark')
  })

  it('names every control and shows its progress to those who cannot see it', async () => {
    await expect.poll(() => state(), WAIT).not.toBe('none')
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLInputElement | HTMLButtonElement>('input, select, button')]
        .filter((control) => control.innerText.trim() === '' && (control.labels?.length ?? 0) === 0)
        .map((control) => control.outerHTML),
    )
    expect(nameless).toEqual([])
    await expect
      .poll(() => page.getByRole('progressbar', { name: 'Index of' }).getAttribute('aria-valuetext'), WAIT)
      .toMatch(/\d+%/)
    await expect.poll(() => page.locator('#operation-announcement').textContent(), WAIT).toMatch(/percent|Completed/)
  })
})
