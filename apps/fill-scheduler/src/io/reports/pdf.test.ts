import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lotOf } from '../../testing/reference-lots.js'
import { HOSTILE_NAMES, MANY_LOTS, sampleReport } from '../../testing/report-samples.js'
import { drawable } from './pdf-text.js'
import { schedulePdf } from './pdf.js'
import type { Report } from './report.js'

const run = promisify(execFile)
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pdf-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function written(report: Report): Promise<string> {
  const path = join(folder, 'report.pdf')
  await writeFile(path, await schedulePdf(report))
  return path
}

/** What a reader of another make finds, page by page. */
async function pagesOf(path: string): Promise<string[]> {
  const { stdout } = await run('/usr/bin/pdftotext', ['-layout', path, '-'], { maxBuffer: 50_000_000 })
  return stdout.split('\f').slice(0, -1)
}

describe('the PDF of a plan', () => {
  it('has the figures and the chart, then the activities under headings that return on every page', async () => {
    const pages = await pagesOf(await written(sampleReport()))
    expect(pages).toHaveLength(3)
    expect(pages[0]).toMatch(/Week 1\n[^]*545\.16[^]*No errors\.\nNo warnings\.[^]*Gantt chart[^]*Mon 30 Dec/)
    expect(pages[1]).toMatch(/Start +End +Hours +Activity +Lot ID +Type +Note/)
    expect(pages[1]).toMatch(/2025-01-02 08:00 +2025-01-02 13:01 +5\.02 +Fill +A1 +VialE +100000 vials/)
    expect(pages[2]).toMatch(/Start +End +Hours/)
    for (const [at, page] of pages.entries()) expect(page).toContain(`Page ${at + 1} of 3`)
  })

  it('draws the chart in the colours of the activities', async () => {
    const path = await written(sampleReport())
    await run('/usr/bin/pdftoppm', ['-r', '40', '-l', '1', '-singlefile', path, join(folder, 'page')])
    const pixels = await readFile(join(folder, 'page.ppm'))
    for (const colour of ['1976d2', 'ff9800', 'f44336']) expect(pixels.includes(Buffer.from(colour, 'hex'))).toBe(true)
  })

  it('has 500 lots on many pages, in less than two seconds and half a megabyte', async () => {
    const report = sampleReport({ lots: MANY_LOTS })
    const began = process.cpuUsage()
    const path = await written(report)
    const { user, system } = process.cpuUsage(began)
    expect((user + system) / 1e6).toBeLessThan(2)
    expect((await readFile(path)).byteLength).toBeLessThan(500_000)
    const pages = await pagesOf(path)
    expect(pages.length).toBeGreaterThan(40)
    for (const { id } of MANY_LOTS) expect(pages.some((page) => page.includes(id))).toBe(true)
  })

  it('names lines where there are several', async () => {
    const pages = await pagesOf(await written(sampleReport({ settings: { lines: 2 } })))
    expect(pages[0]).toContain('Line 2')
    expect(pages[1]).toContain('Block 1 on line 1')
  })

  it('writes characters that its fonts do not have by their number, and says so', async () => {
    const lots = HOSTILE_NAMES.map((name, at) => lotOf(name, HOSTILE_NAMES.at(at - 5) ?? '', 1_000))
    const text = (await pagesOf(await written(sampleReport({ name: '批号', lots })))).join('')
    expect(text).toContain('‹41B›‹43E›‹442›-1')
    expect(text).toContain('‹41B› is U+041B')
    expect(text).toContain('<script>alert(1)</script>')
    expect(text).toContain('=1+1')
  })

  it('shows long names as far as there is room', async () => {
    const text = (await pagesOf(await written(sampleReport({ lots: [lotOf('W'.repeat(64), 'VialE', 9_000)] })))).join(
      '',
    )
    expect(text).toMatch(/W{10,}…/)
  })
})

describe('text of a PDF', () => {
  it('keeps what the standard fonts have', () => {
    expect(drawable('Größe 5 µg – “a” €')).toBe('Größe 5 µg – “a” €')
  })
})
