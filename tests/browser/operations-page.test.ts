import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OperationSnapshot } from '@holdfast/client'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Workplace, createWorkplace } from '../cli/command.js'
import { launchChromium } from './chromium.js'

const WAIT = { timeout: 15_000, interval: 50 }

let place: Workplace
let url: string
let token: string
let browser: Browser
let context: BrowserContext
let problems: string[]

beforeAll(async () => {
  place = await createWorkplace()
  // The page starts an index of it by itself.
  await mkdir(join(place.directory, 'node_modules'))
  await writeFile(join(place.directory, 'node_modules', 'one.ts'), 'line\n')
  ;({ url } = await place.serve('--demo'))
  const made = await place.run('token', '--tenant', 'demo', '--user', 'cli', '--permission', 'operations')
  token = made.stdout.trim()
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await place?.close()
})

beforeEach(async () => {
  problems = []
  context = await browser.newContext({ viewport: { width: 1000, height: 800 }, reducedMotion: 'reduce' })
})

afterEach(async () => {
  await context.close()
  expect(problems).toEqual([])
})

async function open(path: string): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('ERR_')) problems.push(message.text())
  })
  await page.goto(url + path)
  return page
}

async function send(method: string, path: string, body: object): Promise<OperationSnapshot> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const answer = await fetch(`${url}/api/v1/${path}`, { method, headers, body: JSON.stringify(body) })
  expect(answer.status).toBeLessThan(300)
  return (await answer.json()) as OperationSnapshot
}

/** A worker that reports over HTTP, as far and as fast as the test says. */
async function begin(id: string, more = {}): Promise<void> {
  await send('POST', 'operations', { id, kind: 'import', label: `Import ${id}`, owner: 'cli', total: 100, ...more })
}
const report = (id: string, done: number): Promise<unknown> => send('PATCH', `operations/${id}`, { done })
const complete = (id: string): Promise<unknown> => send('POST', `operations/${id}/complete`, { result: { rows: 100 } })

const look = (page: Page): Promise<string | null> => page.locator('.single .root').getAttribute('data-look')
const percent = (page: Page): Promise<string> => page.locator('.single .percent').innerText()
const snapshotIn = (page: Page): Promise<OperationSnapshot | undefined> =>
  page.evaluate(() => document.querySelector('holdfast-progress')?.snapshot)

/** The row of an operation in the list. */
const row = (page: Page, label: string) => page.locator('.job', { hasText: label })

describe('the page of one operation', () => {
  it('shows the same end to those who came before, during and after, through a reload and a cut network', async () => {
    await begin('import-1')
    const before = await open('/?operation=import-1')
    await expect.poll(() => look(before), WAIT).toBe('running')
    await report('import-1', 30)
    const [during, reloaded, cut] = [
      await open('/?operation=import-1'),
      await open('/?operation=import-1'),
      await open('/?operation=import-1'),
    ]
    for (const page of [before, during, reloaded, cut]) await expect.poll(() => percent(page), WAIT).toBe('30%')
    await cut.locator('#cut').click()
    await expect.poll(() => cut.locator('.single .note').innerText(), WAIT).toContain('Reconnecting')
    expect(await percent(cut)).toBe('30%')
    await report('import-1', 60)
    await reloaded.reload()
    await expect.poll(() => percent(reloaded), WAIT).toBe('60%')
    expect(await reloaded.title()).toBe('60% Import import-1')
    await complete('import-1')
    const after = await open('/?operation=import-1')
    const ends: unknown[] = []
    for (const page of [before, during, reloaded, cut, after]) {
      await expect.poll(() => look(page), WAIT).toBe('completed')
      ends.push(await snapshotIn(page))
    }
    expect(ends[0]).toMatchObject({ state: 'completed', result: { rows: 100 } })
    for (const end of ends) expect(end).toEqual(ends[0])
  }, 60_000)

  it('cancels a command that runs in a terminal, and shows that it has stopped', async () => {
    const command = place.start('run', '--id', 'sleeper', '--label', 'Sleeper', '--', 'sleep', '60')
    await command.printed(/\?operation=sleeper/)
    const page = await open('/?operation=sleeper')
    await expect.poll(() => look(page), WAIT).toBe('running')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await expect.poll(() => look(page), WAIT).toBe('cancelled')
    expect((await command.ended).code).not.toBe(0)
  }, 40_000)

  it('tells whoever may not see it no more than whoever asks for none', async () => {
    await begin('import-2')
    const page = await open('/?operation=import-2&user=Mallory')
    const problem = page.locator('.single .problem')
    await expect.poll(() => problem.innerText(), WAIT).toBe('There is no operation import-2, or it is not yours')
    await complete('import-2')
  })

  it.each([
    ['light', 360],
    ['dark', 360],
    ['light', 900],
  ] as const)('fits: %s, %i pixels wide', async (colorScheme, width) => {
    const id = `import-${colorScheme}-${width}`
    await begin(id, { label: 'A long name of an import that takes its time '.repeat(4) })
    await report(id, 42)
    const page = await open(`/?operation=${id}`)
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 780 })
    await expect.poll(() => percent(page), WAIT).toBe('42%')
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
    await complete(id)
  })
})

describe('the list of operations', () => {
  it('shows what a person runs in a terminal as it begins, as it goes on, and as it ends', async () => {
    const page = await open('/?operation=nothing-yet')
    await begin('import-3', { label: 'Third' })
    await expect.poll(() => row(page, 'Third').count(), WAIT).toBe(1)
    await report('import-3', 50)
    await expect.poll(() => row(page, 'Third').innerText(), WAIT).toMatch(/50%\s+running/)
    const command = place.start('run', '--label', 'From a terminal', '--', 'sleep', '1')
    await expect
      .poll(
        () =>
          row(page, 'From a terminal')
            .innerText()
            .catch(() => ''),
        WAIT,
      )
      .toContain('running')
    expect((await command.ended).code).toBe(0)
    await expect.poll(() => row(page, 'From a terminal').innerText(), WAIT).toMatch(/100%\s+completed/)
    await complete('import-3')
    await expect.poll(() => row(page, 'Third').innerText(), WAIT).toMatch(/100%\s+completed/)
    expect(await page.locator('.job').first().innerText()).toContain('From a terminal')
  }, 40_000)

  it('leads to each, holds those that ended before, and only those of the person', async () => {
    await begin('import-4', { label: 'Fourth' })
    await complete('import-4')
    await begin('import-5', { label: 'Of somebody else', owner: 'Grace' })
    const page = await open('/?operation=nothing-yet')
    await expect.poll(() => row(page, 'Fourth').count(), WAIT).toBe(1)
    expect(await row(page, 'Of somebody else').count()).toBe(0)
    await row(page, 'Fourth').getByRole('link').click()
    await expect.poll(() => look(page), WAIT).toBe('completed')
    expect(page.url()).toBe(`${url}/?operation=import-4`)
    await complete('import-5')
  })
})
