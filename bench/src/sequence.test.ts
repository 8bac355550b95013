import { describe, expect, it } from 'vitest'
import { numberedText, readSequences } from './sequence.js'

function sequencesIn(text: string, start = 0, end = text.length): number[] {
  const sequences: number[] = []
  readSequences(Buffer.from(text), start, end, (sequence) => sequences.push(sequence))
  return sequences
}

describe('numbered texts', () => {
  it('have the length that was asked for', () => {
    expect(numberedText(0, 128)).toHaveLength(128)
    expect(numberedText(9_999_999_999, 128)).toHaveLength(128)
  })

  it('are found again, several to a frame', () => {
    expect(sequencesIn(`{"a":"${numberedText(7, 40)}"}\n{"a":"${numberedText(1_234_567, 40)}"}`)).toEqual([
      7, 1_234_567,
    ])
  })

  it('are not found outside the frame', () => {
    const first = numberedText(1, 40)
    expect(sequencesIn(first + numberedText(2, 40), 0, first.length)).toEqual([1])
    expect(sequencesIn(first + numberedText(2, 40), first.length)).toEqual([2])
    expect(sequencesIn('nothing here')).toEqual([])
  })
})
