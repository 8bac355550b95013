import { describe, expect, it } from 'vitest'
import { fileText } from './file-text.js'

const read = (...parts: BlobPart[]): ReturnType<typeof fileText> => fileText(new Blob(parts))

describe('a file of lots', () => {
  it('is read as UTF-8, with or without its mark, and as UTF-16 with its mark', async () => {
    expect(await read('Lot ID\nMüller')).toEqual({ text: 'Lot ID\nMüller' })
    expect(await read('\uFEFFLot ID')).toEqual({ text: 'Lot ID' })
    expect(await read(new Uint8Array([0xff, 0xfe, 0xfc, 0x00]))).toEqual({ text: 'ü' })
    expect(await read(new Uint8Array([0xfe, 0xff, 0x00, 0xfc]))).toEqual({ text: 'ü' })
    expect(await read('')).toEqual({ text: '' })
  })

  it('is refused where letters would be lost, and where it is a workbook', async () => {
    const problemOf = async (...parts: BlobPart[]): Promise<unknown> => Object.entries(await read(...parts))[0]
    expect(await problemOf('M', new Uint8Array([0xfc]), 'ller')).toEqual(['problem', expect.stringContaining('UTF-8')])
    for (const beginning of [
      [0x50, 0x4b, 0x03, 0x04],
      [0xd0, 0xcf, 0x11, 0xe0],
    ])
      expect(await problemOf(new Uint8Array(beginning), 'more')).toEqual(['problem', expect.stringContaining('Excel')])
  })
})
