import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { lotOf } from '../../testing/reference-lots.js'
import { HOSTILE_NAMES, sampleReport } from '../../testing/report-samples.js'
import { scheduleCsv } from './csv.js'
import { csvText, textCell } from './csv-text.js'

const two = [lotOf('A1', 'VialE', 100_000), lotOf('A2', 'VialH', 900_000)]

describe('the CSV of a plan', () => {
  it('has one activity a row, with local times and two decimals', () => {
    expect(scheduleCsv(sampleReport({ lots: two })).split('\r\n')).toEqual([
      'Start,End,Hours,Activity,Lot ID,Type,Note',
      '2025-01-01 08:00,2025-01-02 08:00,24.00,CLEAN,,,Block reset',
      '2025-01-02 08:00,2025-01-02 13:01,5.02,FILL,A1,VialE,100000 vials',
      '2025-01-02 13:01,2025-01-02 21:01,8.00,CHANGEOVER,,VialE->VialH,8h',
      '2025-01-02 21:01,2025-01-04 18:12,45.18,FILL,A2,VialH,900000 vials',
      '',
    ])
  })

  it('names the line where there are several', () => {
    const rows = parse(scheduleCsv(sampleReport({ settings: { lines: 2 } })), { columns: true })
    expect(new Set(rows.map((row) => (row as Record<string, string>)['Line']))).toEqual(new Set(['1', '2']))
  })

  it('writes times in the format of the settings', () => {
    const settings = { timeZone: 'Europe/Berlin', report: { dateTimeFormat: '%d.%m.%Y %H:%M:%S' } }
    const [, first] = scheduleCsv(sampleReport({ lots: two, settings })).split('\r\n')
    expect(first).toMatch(/^01\.01\.2025 08:00:00,02\.01\.2025 08:00:00,/)
  })

  it('holds no cell that a spreadsheet takes for a formula, whatever separates its cells', () => {
    const lots = HOSTILE_NAMES.map((name, at) => lotOf(name, HOSTILE_NAMES.at(at - 5) ?? '', 1_000))
    const text = scheduleCsv(sampleReport({ lots }))
    const cells = ([',', ';', '\t', '|'] as const).flatMap((delimiter) =>
      (parse(text, { delimiter, relax_quotes: true, relax_column_count: true }) as string[][]).flat(),
    )
    expect(cells.filter((cell) => /^[=+\-@\t\r＝＋－＠]/.test(cell))).toEqual([])
    expect(parse(text).length).toBeGreaterThan(lots.length)
  })
})

describe('a cell of text', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['\t=1', "'\t'=1"],
    ['＠SUM(A1)', "'＠SUM(A1)"],
    ['a;=1', "a;'=1"],
    ['A-1', 'A-1'],
    ['VialE->VialH', 'VialE->VialH'],
    ['Лот 1', 'Лот 1'],
  ])('makes %j of it: %j', (text, cell) => {
    expect(textCell(text)).toBe(cell)
  })

  it('is quoted where it holds what separates cells or rows', () => {
    expect(csvText([['a,b', 'say "hi"', 'two\nlines', 'plain', ' edge']])).toBe(
      '"a,b","say ""hi""","two\nlines",plain," edge"\r\n',
    )
  })
})
