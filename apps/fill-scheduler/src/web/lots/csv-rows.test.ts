import { describe, expect, it } from 'vitest'
import { csvOf, csvRows } from './csv-rows.js'

describe('rows of a file', () => {
  it('keep the number of their line, empty lines and line breaks in quotes counted', () => {
    const { heading, rows } = csvRows(
      '\uFEFFLot ID,Type,Vials\r\nA1,VialE,1\r\n \r\n"A\n2",VialH,2\r\nA3,"Vial ""X"", 2",3\r\n',
    )
    expect(heading).toEqual(['Lot ID', 'Type', 'Vials'])
    expect(rows).toEqual([
      { row: 2, cells: ['A1', 'VialE', '1'] },
      { row: 4, cells: ['A\n2', 'VialH', '2'] },
      { row: 6, cells: ['A3', 'Vial "X", 2', '3'] },
    ])
  })

  it('may stand between semicolons or tabs', () => {
    expect(csvRows('Lot ID;Type\nA;B, C').rows).toEqual([{ row: 2, cells: ['A', 'B, C'] }])
    expect(csvRows('Lot ID;Type;Note, or hint\nA;B;C').rows).toEqual([{ row: 2, cells: ['A', 'B', 'C'] }])
    expect(csvRows('Lot ID,Type,Note; or hint\nA,B,C').rows).toEqual([{ row: 2, cells: ['A', 'B', 'C'] }])
    expect(csvRows('Lot ID\tType\nA\tB').rows).toEqual([{ row: 2, cells: ['A', 'B'] }])
  })

  it('are shown, too, where a quote never ends', () => {
    expect(csvRows('Lot ID,Type\n"A,B\nC,D').rows).toEqual([{ row: 2, cells: ['"A,B\nC,D'] }])
  })

  it('are written so that they can be read again', () => {
    const lots = [{ lot_id: 'A,"1"', lot_type: 'x\ny', vials: 5, due: '2025-01-20' }]
    expect(csvRows(csvOf(lots)).rows[0]?.cells).toEqual(['A,"1"', 'x\ny', '5', '2025-01-20'])
  })
})
