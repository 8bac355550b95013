import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EXAMPLE_LOTS, lotOf } from '../../testing/reference-lots.js'
import { HOSTILE_NAMES, sampleReport } from '../../testing/report-samples.js'
import { comparisonFile } from './comparison-report.js'
import { reportFile } from './report.js'
import { workbookDateFormat } from './workbook.js'

/** What a reader of another make sees: for each sheet what is frozen, widths, and each cell with its type and format. */
const READER = `
import json, sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1])
cell = lambda c: [c.data_type, c.value.isoformat() if hasattr(c.value, 'isoformat') else c.value, c.number_format]
print(json.dumps([{
  'title': sheet.title, 'freeze': sheet.freeze_panes, 'width': sheet.column_dimensions['A'].width,
  'rows': [[cell(c) for c in row] for row in sheet.iter_rows()],
} for sheet in book]))
`

interface ReadSheet {
  readonly title: string
  readonly freeze: string
  readonly width: number
  readonly rows: readonly (readonly [type: string, value: string | number | null, format: string])[][]
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'workbook-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function read(bytes: Uint8Array): Promise<readonly ReadSheet[]> {
  const path = join(folder, 'report.xlsx')
  await writeFile(path, bytes)
  const options = { maxBuffer: 50_000_000, env: { PYTHONIOENCODING: 'utf-8' } }
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-c', READER, path], options)
  return JSON.parse(stdout) as ReadSheet[]
}

describe('the workbook of a plan', () => {
  it('has numbers as numbers and times as dates, under headings that stay', async () => {
    const settings = { timeZone: 'America/New_York' }
    const sheets = await read((await reportFile('xlsx', sampleReport({ settings }))).bytes)
    expect(sheets.map(({ title }) => title)).toEqual(['Summary', 'Activities', 'Configuration'])
    expect(sheets.map(({ freeze }) => freeze)).toEqual(['A2', 'A2', 'A2'])
    const [summary, activities, configuration] = sheets
    expect(summary?.rows[1]?.map(([, value]) => value)).toEqual(['Makespan (h)', 545.16])
    expect(activities?.width).toBeCloseTo(18, 0)
    expect(activities?.rows[0]?.map(([, value]) => value)).toEqual([
      ...['Start', 'End', 'Hours', 'Activity', 'Lot ID', 'Type', 'Note'],
    ])
    expect(activities?.rows[1]?.slice(0, 2)).toEqual([
      ['d', '2025-01-01T08:00:00', 'yyyy-mm-dd hh:mm'],
      ['d', '2025-01-02T08:00:00', 'yyyy-mm-dd hh:mm'],
    ])
    expect(activities?.rows[2]?.[2]).toEqual(['n', expect.closeTo(100_000 / 19_920, 9), '0.00'])
    expect(activities?.rows[2]?.slice(3).map(([, value]) => value)).toEqual(['Fill', 'A1', 'VialE', '100000 vials'])
    expect(configuration?.rows.map(([path, value]) => [path?.[1], value?.[1]])).toContainEqual(['windowHours', 120])
  })

  it('has utilisation and lots that are late as numbers', async () => {
    const lots = [lotOf('A', 'E', 19_920, { dueHours: 20 }), lotOf('B', 'E', 19_920, { dueHours: 40 })]
    const [summary] = await read((await reportFile('xlsx', sampleReport({ lots }))).bytes)
    const values = summary?.rows.map(([name, value]) => [name?.[1], value?.[1]])
    expect(values).toContainEqual(['Late lots', 1])
    expect(values).toContainEqual(['Utilisation (%)', expect.closeTo((2 / 30) * 100, 9)])
  })

  it('has no formula, and keeps names as they are but for what cannot be seen', async () => {
    const lots = HOSTILE_NAMES.map((name, at) => lotOf(name, HOSTILE_NAMES.at(at - 5) ?? '', 1_000))
    const sheets = await read((await reportFile('xlsx', sampleReport({ name: '=cmd()', lots }))).bytes)
    const cells = sheets.flatMap(({ rows }) => rows.flat())
    expect(cells.filter(([type]) => type === 'f')).toEqual([])
    const fills = sheets[1]?.rows.filter((row) => row[3]?.[1] === 'Fill').map((row) => row[4]) ?? []
    expect(fills.map((cell) => cell?.[0])).toEqual(HOSTILE_NAMES.map(() => 's'))
    expect(fills.map((cell) => cell?.[2])).toEqual(HOSTILE_NAMES.map(() => '@'))
    expect(fills.map((cell) => cell?.[1])).toEqual(
      HOSTILE_NAMES.map((name) => name.replaceAll(/[\u0000-\u001F\u202E]|\p{Surrogate}/gu, '?')),
    )
  })
})

describe('the workbook of a comparison', () => {
  it('has figures, differences and a sheet for each plan', async () => {
    const { settings, result } = sampleReport()
    const run = { ...result, problems: [] }
    const runs = [
      { strategy: 'given', result: run },
      { strategy: 'lpt-pack', result: run },
      { strategy: 'exact', error: { code: 'too_many_lots', message: 'too many' } },
    ] as const
    const leftOut = [{ strategy: 'improver', code: 'strategy_not_allowed', message: '=not allowed' }] as const
    const report = { name: 'All', settings, lots: EXAMPLE_LOTS, runs, leftOut, generatedAt: new Date(0) }
    const sheets = await read((await comparisonFile('xlsx', report)).bytes)
    expect(sheets.map(({ title }) => title)).toEqual([
      ...['Summary', 'Differences', 'Given (CSV Order)', 'lpt-pack', 'Configuration'],
    ])
    expect(sheets[0]?.rows[2]?.slice(0, 3).map(([, value]) => value)).toEqual(['lpt-pack', 545.16, 120])
    const notes = sheets[0]?.rows.map((row) => [row[0]?.[1], row[8]?.[1]])
    expect(notes?.slice(2)).toEqual([
      ['lpt-pack', null],
      ['exact', 'too many'],
      ['improver', 'Left out: =not allowed'],
    ])
    expect(sheets[1]?.rows[1]?.slice(0, 2).map(([, value]) => value)).toEqual(['lpt-pack', 0])
  })
})

describe('a format of dates', () => {
  it.each([
    ['%Y-%m-%d %H:%M', 'yyyy-mm-dd hh:mm'],
    ['%d.%m.%Y, %H:%M:%S', 'dd.mm.yyyy\\, hh:mm:ss'],
    ['%Y at %H 100%%', 'yyyy \\a\\t hh \\1\\0\\0\\%'],
    ['%Y%', 'yyyy\\%'],
  ])('%s is %s in a workbook', (ours, theirs) => {
    expect(workbookDateFormat(ours)).toBe(theirs)
  })
})
