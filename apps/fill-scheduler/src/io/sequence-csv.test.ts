import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Lot } from '../planning/lot.js'
import { DEFAULT_SETTINGS } from '../planning/settings.js'
import { settingsFromText } from './configuration.js'
import { readLots } from './lots-csv.js'
import { orderBySequence, readSequence } from './sequence-csv.js'

const lot = (id: string): Lot => ({ id, type: 'E', vials: 1, fillHours: 1 })
const data = (name: string): Buffer => readFileSync(new URL(`../../data/${name}`, import.meta.url))

describe('a sequence', () => {
  it.each(['Lot ID', 'LotID', 'lot_id', 'lotid', ' LOT-ID '])('stands in the column %s', (heading) => {
    expect(readSequence(`Place,${heading}\n1,B\n2, A \n3,\n`)).toEqual({ ids: ['B', 'A'], problems: [] })
  })

  it.each([
    ['missing_column', 'Name\nA\n'],
    ['no_lots', 'Lot ID\n\n  \n'],
    ['no_lots', ''],
    ['bad_quoting', 'Lot ID\n"A\n'],
    ['not_utf8', Buffer.from('Lot ID\n\u00fc\n', 'latin1')],
  ])('is refused: %s', (code, source) => {
    expect(readSequence(source)).toMatchObject({ ids: [], problems: [{ code, severity: 'error' }] })
  })

  it('tells of ids that come twice', () => {
    const { ids, problems } = readSequence('Lot ID\nB\nA\nB\n')
    expect(ids).toEqual(['B', 'A'])
    expect(problems).toMatchObject([{ severity: 'warning', code: 'duplicate_lot', row: 4, lotId: 'B' }])
  })
})

describe('lots in a sequence', () => {
  it('are the listed ones first, then the others as they were; unknown ids are warnings', () => {
    const { lots, problems } = orderBySequence(['A', 'B', 'C', 'D'].map(lot), ['C', 'X', 'A', 'C'])
    expect(lots.map(({ id }) => id)).toEqual(['C', 'A', 'B', 'D'])
    expect(problems).toMatchObject([{ severity: 'warning', code: 'unknown_lot', lotId: 'X' }])
  })

  it('are all there, whatever the sequence is', () => {
    const ids = fc.array(fc.constantFrom('A', 'B', 'C', 'D', '__proto__', 'constructor'), { maxLength: 8 })
    fc.assert(
      fc.property(ids, ids, (own, sequence) => {
        const { lots } = orderBySequence(own.map(lot), sequence)
        expect(lots.map(({ id }) => id).toSorted()).toEqual(own.toSorted())
        const listed = lots.map(({ id }) => sequence.findIndex((listed) => listed === id)).filter((place) => place >= 0)
        expect(listed).toEqual(listed.toSorted((a, b) => a - b))
      }),
    )
  })
})

describe('the examples', () => {
  it('of due dates and settings are read without a problem', () => {
    const { settings, problems } = settingsFromText(data('example-settings.yaml').toString(), 'yaml')
    const read = readLots(data('example-due-dates.csv'), settings)
    expect([...problems, ...read.problems]).toEqual([])
    expect(read.lots.filter(({ dueHours }) => dueHours !== undefined)).toHaveLength(8)
  })

  it('are read without a problem, and fit together', () => {
    const { lots, problems } = readLots(data('example-lots.csv'), DEFAULT_SETTINGS)
    const sequence = readSequence(data('example-sequence.csv'))
    const ordered = orderBySequence(lots, sequence.ids)
    expect([...problems, ...sequence.problems, ...ordered.problems]).toEqual([])
    expect(ordered.lots).toHaveLength(15)
    expect(ordered.lots.slice(0, sequence.ids.length).map(({ id }) => id)).toEqual(sequence.ids)
  })
})
