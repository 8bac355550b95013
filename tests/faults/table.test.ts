import { describe, expect, it } from 'vitest'
import { exists, filesUnder } from '../source-tree.js'

const [page] = filesUnder('docs/reference', 'faults.md')

interface Row {
  readonly id: string
  /** The files that show it; none where there is a reason. */
  readonly files: readonly string[]
  readonly shownBy: string
}

/** A cell that begins so says why there is no test. */
const REASON = /^(?:does not apply|cannot be done here|later): \S/

const rows: readonly Row[] = (page?.text.match(/^\| F-\d\d \|.*\|$/gm) ?? []).map((line) => {
  const [id = '', , , shownBy = ''] = line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim())
  const files = REASON.test(shownBy) ? [] : [...shownBy.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file)
  return { id, files, shownBy }
})

const tests = ['packages', 'tests'].flatMap((folder) => filesUnder(folder, '.test.ts'))

/** Every title, of a test or of a fault done in one, that begins with the number of a fault. */
const titled = tests.flatMap(({ path, text }) =>
  [...new Set(Array.from(text.matchAll(/['"`](F-\d\d)\b/g), ([, id = '']) => id))].map((id) => ({ id, path })),
)

describe('the page of faults', () => {
  it('has a row for each fault, once and in order', () => {
    expect(rows.length).toBeGreaterThan(50)
    const ids = rows.map(({ id }) => id)
    expect(ids).toEqual([...new Set(ids)].toSorted())
  })

  it('names a test for each, or the reason why there is none', () => {
    const empty = rows.filter(({ files, shownBy }) => files.length === 0 && !REASON.test(shownBy))
    expect(empty).toEqual([])
  })

  it('names the files whose titles begin with its number, and no other', () => {
    const named = rows.flatMap(({ id, files }) => files.map((path) => `${id} ${path}`))
    const present = titled.map(({ id, path }) => `${id} ${path}`)
    expect(named.toSorted()).toEqual(present.toSorted())
  })

  it('names only files that are there', () => {
    const named = [...(page?.text.matchAll(/`((?:packages|tests)\/[^`]+)`/g) ?? [])].map(([, path = '']) => path)
    expect(named.filter((path) => !exists(path))).toEqual([])
  })
})
