import type { OperationSnapshot } from '@holdfast/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { renderProgressLine, renderProgressText } from './progress-line.js'
import { columnsOf } from './text-width.js'

const running: OperationSnapshot = {
  id: 'index-1',
  kind: 'index',
  label: 'Index of node_modules',
  owner: 'ada',
  tenant: 'demo',
  state: 'running',
  attempt: 1,
  version: 7,
  progress: {
    done: 2345,
    total: 5487,
    unit: 'files',
    percent: 43.7,
    phase: { name: 'Reading', index: 2, count: 3 },
    item: 'node_modules/zod/v4/core/schemas.js',
  },
  rate: 512,
  elapsed: 5,
  eta: { seconds: 6, low: 5, high: 8 },
  updatedAt: '2026-01-01T00:00:00.000Z',
}

const at = (columns: number, snapshot = running): string => renderProgressLine(snapshot, { columns, ticks: 0 })

describe('progress line', () => {
  it('says everything where there is room', () => {
    expect(at(140)).toBe(
      '2/3 Reading  ▕█████████████                 ▏   43%  2,345/5,487 files  512 files/s  ETA 6 s (5–8 s)  node_modules/zod/v4/core/schemas.js',
    )
  })

  it('gives up the item, then the rate, then the label, and keeps the percentage to the last', () => {
    expect(at(80)).not.toContain('schemas.js')
    expect(at(70)).not.toContain('files/s')
    expect(at(58)).not.toContain('Reading')
    expect(at(30)).toContain('43%')
    expect(at(6).trim()).toBe('43%')
  })

  it('never takes more columns than the terminal has', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 80 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), texts, texts, fc.nat(1e9), (columns, item, name, done) => {
        const progress = { ...running.progress, item, done, phase: { name, index: 1, count: 2 } }
        expect(columnsOf(at(columns, { ...running, progress }))).toBeLessThanOrEqual(columns)
      }),
    )
  })

  it('moves a block to and fro while nothing is known of the total', () => {
    const unknown = { ...running, progress: { done: 12, unit: 'files' }, eta: undefined, rate: undefined }
    const lines = [0, 500, 1000].map((ticks) =>
      renderProgressLine(unknown as unknown as OperationSnapshot, { columns: 80, ticks }),
    )
    expect(new Set(lines).size).toBe(3)
    expect(lines.every((line) => line.includes('████') && !line.includes('%'))).toBe(true)
  })

  it('counts on while an operation runs that nothing is heard of, and leaves out a count of nothing', () => {
    const quiet: OperationSnapshot = {
      id: 'ci-1',
      kind: 'run',
      owner: 'ada',
      tenant: 'demo',
      state: 'running',
      attempt: 1,
      version: 1,
      progress: { done: 0 },
      elapsed: 2,
      updatedAt: running.updatedAt,
    }
    const later = (snapshot: OperationSnapshot): string =>
      renderProgressLine(snapshot, { columns: 80, ticks: 0, heardMs: 7_000 })
    expect(later(quiet)).toMatch(/^run {2}▕.*▏ {2}9 s$/)
    expect(later({ ...quiet, state: 'waiting' })).toMatch(/▏ {2}waiting$/)
    expect(later({ ...quiet, state: 'completed' })).toMatch(/▏ {2}completed after 2 s$/)
  })

  it('cuts a path at its beginning and a sentence at its end', () => {
    const { item: path, ...progress } = running.progress
    expect(at(120)).toMatch(/…\S*schemas\.js$/)
    expect(at(120, { ...running, progress: { ...progress, message: `See ${path}` } })).toMatch(/ {2}See node_\S*…$/)
  })

  it('says how it ended and how long it took', () => {
    const ended: OperationSnapshot = { ...running, state: 'completed', progress: { ...running.progress, percent: 100 } }
    expect(at(120, ended)).toContain('100%')
    expect(at(120, ended)).toContain('completed after 5 s')
    expect(at(120, ended)).not.toContain('schemas.js')
  })

  it('says what troubles the watcher in the place of the estimate', () => {
    const line = renderProgressLine(running, { columns: 140, ticks: 0, trouble: 'reconnecting' })
    expect(line).toContain('reconnecting')
    expect(line).not.toContain('ETA')
  })

  it('prints no character of an item that could command the terminal', () => {
    const progress = { ...running.progress, item: 'a\u001B[2Jb' }
    expect(at(200, { ...running, progress })).not.toContain('\u001B')
  })

  it('has a plain form without a bar', () => {
    expect(renderProgressText(running)).toBe('2/3 Reading  43%  2,345/5,487 files  512 files/s  ETA 6 s (5–8 s)')
  })
})
