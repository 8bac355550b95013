import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../planning/settings.js'
import type { Problem } from '../problem.js'
import { settingsFrom } from './configuration.js'
import { readLots } from './lots-csv.js'

const read = (source: string | Uint8Array): ReturnType<typeof readLots> => readLots(source, DEFAULT_SETTINGS)
const withRows = (...rows: string[]): string => ['Lot ID,Type,Vials,Due,Priority', ...rows].join('\n')
const codes = (problems: readonly Problem[]): string[] => problems.map(({ code, row }) => `${row ?? '-'} ${code}`)

describe('a file of lots', () => {
  it('is read with fill hours', () => {
    const { lots, problems } = read(readFileSync(new URL('../../data/example-lots.csv', import.meta.url)))
    expect(problems).toEqual([])
    expect(lots).toHaveLength(15)
    expect(lots[0]).toEqual({ id: 'A1', type: 'VialE', vials: 100_000, fillHours: 100_000 / 19_920 })
    expect(lots.reduce((sum, { fillHours }) => sum + fillHours, 0).toFixed(2)).toBe('353.16')
  })

  it.each([
    ['other columns, in any order', 'Note,Vials,Lot ID,Type\nhello,10,A,E\n'],
    ['headings in any case, with spaces, underscores and hyphens', ' lot_id ,TYPE,  vials\nA,E,10'],
    ['a byte order mark', '\ufeffLot ID,Type,Vials\nA,E,10\n'],
    ['line ends of Windows', 'Lot ID,Type,Vials\r\nA,E,10\r\n'],
    ['line ends of old Macs', 'Lot ID,Type,Vials\rA,E,10\r'],
    ['semicolons', 'Lot ID;Type;Vials\nA;E;10\n'],
    ['tabs', 'Lot ID\tType\tVials\nA\tE\t10\n'],
    ['fields in quotes', '"Lot ID","Type","Vials"\n"A","E","10"\n'],
    ['spaces around fields', 'Lot ID,Type,Vials\n  A , " E " ,10  \n'],
    ['blank lines and rows of nothing but delimiters', '\n\nLot ID,Type,Vials\n\n,,\nA,E,10\n \n,,,,\n'],
    ['whole numbers as other programs write them', 'Lot ID,Type,Vials\nA,E,10.0\n'],
    ['rows that are longer than the heading', 'Lot ID,Type,Vials\nA,E,10,,what,else\n'],
  ])('may have %s', (_, text) => {
    expect(read(text)).toEqual({ lots: [{ id: 'A', type: 'E', vials: 10, fillHours: 10 / 19_920 }], problems: [] })
  })

  it('has ids and types of any kind, also what JavaScript has on every object', () => {
    const { lots, problems } = read(withRows('__proto__,constructor,10', 'constructor,__proto__,10', 'toString,ü,10'))
    expect(problems).toEqual([])
    expect(lots.map(({ id, type }) => [id, type])).toEqual([
      ['__proto__', 'constructor'],
      ['constructor', '__proto__'],
      ['toString', 'ü'],
    ])
  })

  it('may have due dates and priorities', () => {
    const rows = [
      'A,E,10,2025-01-02,high',
      'B,E,10,2025-01-02 08:00,2.5',
      'C,E,10,2025-01-02T09:00+01:00,LOW',
      'D,E,10,,',
    ]
    const { lots, problems } = read(withRows(...rows))
    expect(problems).toEqual([])
    expect(lots.map(({ dueHours, priority }) => [dueHours, priority])).toEqual([
      [40, 3],
      [24, 2.5],
      [24, 1],
      [undefined, undefined],
    ])
  })
})

describe('a problem', () => {
  it.each([
    ['1 missing_column', 'Missing columns in CSV: Type, Vials', 'Lot ID,Kind\nA,E'],
    ['- no_lots', 'No lots found after reading CSV.', ''],
    ['- no_lots', 'No lots found after reading CSV.', 'Lot ID,Type,Vials\n'],
    ['1 duplicate_column', 'The column vials is there twice.', 'Lot ID,Type,Vials,vials\nA,E,1,2'],
    ['2 missing_vials', 'One or more lots have missing Vials values.', withRows('A,E,')],
    ['2 missing_vials', 'One or more lots have missing Vials values.', withRows('A,E')],
    ['2 empty_id', 'A lot has empty Lot ID.', withRows(' ,E,10')],
    ['2 empty_type', 'A lot has empty Type.', withRows('A,"  ",10')],
    ['2 too_long', 'Lot ID must have at most 64 characters, received 65.', withRows(`${'x'.repeat(65)},E,10`)],
    ['2 control_character', 'Type must not have', withRows('A,E\u0000,10')],
    ['2 control_character', 'Lot ID must not have', withRows('"A\nB",E,10')],
    ['2 control_character', 'Lot ID must not have', withRows('A\u202eB,E,10')],
    ['3 duplicate_lot', 'Duplicate Lot ID detected: A is in row 2 already.', withRows('A,E,10', ' A ,H,20')],
    ['2 oversize_lot', 'at current rate: 2390400.', withRows('A,E,2390401')],
    ['2 oversize_lot', 'Lot A: 2500000 vials take 125.50 h, which exceeds the 120 h', withRows('A,E,2500000')],
    ['2 bad_due', 'received "soon"', withRows('A,E,10,soon')],
    ['2 bad_due', 'received "2025-02-30"', withRows('A,E,10,2025-02-30')],
    ['2 bad_due', 'received "9999-01-01"', withRows('A,E,10,9999-01-01')],
    ['2 due_before_start', 'Due is before', withRows('A,E,10,2024-12-31')],
    ['2 bad_priority', 'one of high, medium, low, received "urgent"', withRows('A,E,10,,urgent')],
    ['2 bad_priority', 'from 0 to 100', withRows('A,E,10,,101')],
    ['2 bad_priority', 'received "constructor"', withRows('A,E,10,,constructor')],
    ['3 bad_quoting', 'A quote stands inside a field', withRows('A,E,10', 'B,5" vial,10')],
    ['3 bad_quoting', 'A quote stands inside a field', withRows('A,E,10', '"B"x,E,10', 'C,E,10')],
    ['3 bad_quoting', 'A quote is opened and never closed', withRows('A,E,10', '"B,E,10', 'C,E,10')],
    ['7 bad_quoting', 'A quote is opened', withRows('A,E,10', '', '"B', '",E,10', '', '"C,E,10', '')],
    ['3 row_too_long', 'more than 100000 characters', withRows('A,E,10', `B,E,10${','.repeat(100_001)}`)],
    ['3 not_utf8', 'CSV UTF-8', Buffer.from(withRows('A,E,10', 'B,\u00fc,10'), 'latin1')],
    ['- too_large', 'at most 10485760', `Lot ID,Type,Vials\n${' '.repeat(10 * 1024 * 1024)}`],
    ['- too_many_lots', 'There are 5001 lots', withRows(...Array.from({ length: 5_001 }, (_, at) => `L${at},E,10`))],
    ['- too_many_lots', 'at most 20000', `Lot ID,Type,Vials${'\n'.repeat(20_000)}`],
  ])('is told with its row: %s', (expected, message, source) => {
    const { problems } = read(source)
    expect(codes(problems)).toEqual([expected])
    expect(problems[0]?.message).toContain(message)
  })

  it.each(['0', '-5', '1.5', '1e5', 'NaN', 'Infinity', '0x10', 'ten', '10 000', '1.000', '1000000001', '1'.repeat(99)])(
    'is told of the vials %s',
    (vials) => {
      const { lots, problems } = read(withRows(`A,E,${vials}`))
      expect(lots).toEqual([])
      expect(codes(problems)).toEqual(['2 bad_vials'])
      expect(problems[0]).toMatchObject({ column: 'Vials', lotId: 'A', severity: 'error' })
    },
  )

  it('is told of thousands separators, which could mean two numbers', () => {
    expect(read(withRows('A,E,"10,000"')).problems[0]?.message).toBe(
      'Vials must be a positive integer, received "10,000" (write it without thousands separators).',
    )
  })

  it('names the lot where its id is one, and never what could steer a terminal', () => {
    const { problems } = read(withRows('A,E,0', `${'x'.repeat(90)},E,0`, 'B\u001b[2J,E,\u001b[31mred'))
    expect(problems.map(({ lotId }) => lotId)).toEqual(['A', undefined, undefined, undefined, undefined])
    expect(problems.at(-1)?.message).toBe('Vials must be a positive integer, received "\ufffd[31mred".')
  })

  it('is told beside all others, and right lots are read', () => {
    const { lots, problems } = read(
      withRows(',E,10', 'A,,x', '"B', 'C",E,0', 'D,E,10', '', 'D,E,', 'E,E,9999999,x,y', 'F,E,9999999'),
    )
    expect(codes(problems)).toEqual([
      '2 empty_id',
      '3 empty_type',
      '3 bad_vials',
      '4 control_character',
      '4 bad_vials',
      '8 duplicate_lot',
      '8 missing_vials',
      '9 bad_due',
      '9 bad_priority',
      '10 oversize_lot',
    ])
    expect(lots.map(({ id }) => id)).toEqual(['D'])
  })

  it('is one of 100 at most; how many more there are is told', () => {
    const { problems } = read(withRows(...Array.from({ length: 250 }, (_, at) => `L${at},E,0`)))
    expect(problems).toHaveLength(101)
    expect(problems.at(-1)).toEqual({
      severity: 'error',
      code: 'more_problems',
      message: 'There are 150 more problems.',
    })
  })
})

it('a lot that no working time holds is refused with its row, its hours and the longest time without a rest', () => {
  const { settings } = settingsFrom({
    cleanHours: 8,
    calendar: { shifts: [{ days: ['mon', 'tue'], from: '06:00', to: '22:00' }] },
  })
  const { lots, problems } = readLots(withRows(`A,E,${19_920 * 16}`, `B,E,${19_920 * 17}`), settings)
  expect(lots.map(({ id }) => id)).toEqual(['A'])
  expect(problems).toMatchObject([{ severity: 'error', code: 'outside_working_time', row: 3, lotId: 'B' }])
  expect(problems[0]?.message).toContain('17.00 h for the fill. The longest time without a rest is 16 h.')
})

describe('whatever a file says', () => {
  const cell = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom('A', 'E', '10', '"', '""', '"x"', '\n', '\r\n', ';', ',', '-1', '1e3', '\u0000', '__proto__'),
  )
  const file = fc.array(fc.array(cell, { maxLength: 6 }), { maxLength: 12 })

  it('it is read or refused with reason, and rows are lines of the file', () => {
    fc.assert(
      fc.property(file, fc.boolean(), fc.boolean(), (rows, hasHeading, asBytes) => {
        const lines = [...(hasHeading ? ['Lot ID,Type,Vials,Due'] : []), ...rows.map((cells) => cells.join(','))]
        const text = lines.join('\n')
        const { lots, problems } = read(asBytes ? Buffer.from(text) : text)
        const errors = problems.filter(({ severity }) => severity === 'error')
        expect(lots.length + errors.length).toBeGreaterThan(0)
        for (const { row = 1, message } of problems) {
          expect(row).toBeLessThanOrEqual(text.split(/\r\n?|\n/).length)
          expect(message).not.toBe('')
        }
        for (const lot of lots) {
          expect(Number.isSafeInteger(lot.vials) && lot.vials > 0 && lot.fillHours <= 120).toBe(true)
          expect(lot.id.trim() === lot.id && lot.id !== '' && lot.type !== '').toBe(true)
        }
        expect(new Set(lots.map(({ id }) => id)).size).toBe(lots.length)
      }),
      { numRuns: 400 },
    )
  })

  it('bytes that are no text are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(read(bytes).problems.length).toBeGreaterThan(0)
      }),
    )
  })
})
