import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../source-tree.js'
import { CASES, SECTIONS } from './table/cases.js'
import { PAGE, renderPage } from './table/page.js'
import { shownByTests } from './table/titles.js'

const shown = shownByTests()
const page = renderPage(SECTIONS, shown)
if (process.env['UPDATE_ABUSE_TABLE'] === '1') writeFileSync(join(ROOT, PAGE), page)

describe('the page of abuse cases', () => {
  it('has a row for each case, once and in order', () => {
    const ids = CASES.map(({ id }) => id)
    expect(ids.length).toBeGreaterThan(100)
    expect(ids).toEqual([...new Set(ids)].toSorted())
  })

  it('names a test for each, or the reason why there is none', () => {
    const tested = new Set(shown.map(({ id }) => id))
    expect(CASES.filter(({ id, reason }) => reason === undefined && !tested.has(id)).map(({ id }) => id)).toEqual([])
  })

  it('gives no reason for a case that has a test', () => {
    const tested = new Set(shown.map(({ id }) => id))
    expect(CASES.filter(({ id, reason }) => reason !== undefined && tested.has(id)).map(({ id }) => id)).toEqual([])
  })

  it('knows every case that a title names', () => {
    const known = new Set<string>(CASES.map(({ id }) => id))
    expect(shown.filter(({ id }) => !known.has(id))).toEqual([])
  })

  it('is up to date', () => {
    expect(
      readFileSync(join(ROOT, PAGE), 'utf8'),
      'UPDATE_ABUSE_TABLE=1 npx vitest run tests/abuse/table.test.ts',
    ).toBe(page)
  })
})
