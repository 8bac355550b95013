import { describe, expect, it } from 'vitest'
import {
  doneText,
  durationText,
  etaText,
  percentText,
  phaseText,
  rateText,
  resultLines,
  spokenProgress,
} from './wording.js'

describe('the words of a progress bar', () => {
  it.each([
    [0, '0 s'],
    [0.42, '0.4 s'],
    [12.4, '12 s'],
    [59.7, '1 min'],
    [185, '3 min 5 s'],
    [7620, '2 h 7 min'],
    [356_400, '4 d 3 h'],
  ])('say %d seconds as %s', (seconds, text) => expect(durationText(seconds)).toBe(text))

  it.each([
    [{ seconds: 120, low: 62, high: 236 }, 'about 2 min, 1 to 4'],
    [{ seconds: 7, low: 5, high: 9 }, 'about 7 s, 5 to 9'],
    [{ seconds: 0.2, low: 0.1, high: 0.4 }, 'about 1 s'],
    [{ seconds: 7, low: 6.9, high: 7.2 }, 'about 7 s'],
    [{ seconds: 5400, low: 3600, high: 9000 }, 'about 1.5 h, 1 to 2.5'],
    [{ seconds: 90_000, low: 80_000, high: 100_000 }, 'about 25 h, 22 to 28'],
  ])('say that %j is left as %s', (eta, text) => expect(etaText(eta)).toBe(text))

  it.each([
    [{ done: 630, total: 1500, unit: 'files' }, '630 of 1,500 files'],
    [{ done: 12 }, '12'],
    [{ done: 0 }, ''],
    [{ done: 1_200_000_000, total: 3_400_000_000, unit: 'bytes' }, '1.2 of 3.4 GB'],
    [{ done: 999_600, unit: 'bytes' }, '1 MB'],
  ])('count %j as %s', (progress, text) => expect(doneText(progress)).toBe(text))

  it('say how fast it is', () => {
    expect([rateText(512.3, 'files'), rateText(0.44), rateText(1_250_000, 'bytes')]).toEqual([
      '512 files/s',
      '0.4/s',
      '1.3 MB/s',
    ])
  })

  it('never say 100 before it is', () => expect([percentText(99.99), percentText(100)]).toEqual(['99%', '100%']))

  it('name the step, and where it stands among several', () => {
    expect(phaseText({ done: 0, phase: { name: 'Reading', index: 2, count: 3 } })).toBe('Reading (2 of 3)')
    expect(phaseText({ done: 0, phase: { name: 'Reading', index: 1, count: 1 } })).toBe('Reading')
  })

  it('speak of all that is known', () => {
    const phase = { name: 'Reading', index: 2, count: 3 }
    expect(spokenProgress({ done: 630, total: 1500, unit: 'files', percent: 42.9, phase })).toBe(
      '42 percent, Reading (2 of 3), 630 of 1,500 files',
    )
    expect(spokenProgress({ done: 0 })).toBe('running')
  })

  it('show the plain values of a result, at most eight, and no endless text', () => {
    expect(resultLines({ totalFiles: 1500, total_size: 12.345, warnings: [], nested: {}, gone: null })).toEqual([
      ['Total files', '1,500'],
      ['Total size', '12.35'],
    ])
    expect(resultLines('done')).toEqual([['', 'done']])
    expect(resultLines(undefined)).toEqual([])
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, 'x'.repeat(1000)]))
    expect(resultLines(many)).toHaveLength(8)
    expect(resultLines(many)[0]?.[1]).toHaveLength(201)
  })
})
