import { filesUnder } from '../../source-tree.js'

/** A test that shows what comes of a case. */
export interface Shown {
  readonly id: string
  readonly title: string
  readonly path: string
}

const IDS = /^T-\d{3}(?:, T-\d{3})*(?= )/

/** Every title of a test that begins with ids of cases, once for each id. */
export function shownByTests(): Shown[] {
  const tests = ['packages', 'tests'].flatMap((folder) => filesUnder(folder, '.test.ts'))
  return tests.flatMap(({ path, text }) => titlesIn(text).flatMap((title) => split(title, path)))
}

/** The texts of a file that begin with an id: titles, and parts of which a loop makes some. */
function titlesIn(text: string): string[] {
  const found = text.matchAll(/(['"`])(T-\d{3}(?:(?!\1)[^\\\n]|\\.)*)\1/g)
  return Array.from(found, ([, , title = '']) => title.replaceAll(/\\(.)/g, '$1'))
}

function split(title: string, path: string): Shown[] {
  const [ids] = IDS.exec(title) ?? []
  if (ids === undefined) return []
  return ids.split(', ').map((id) => ({ id, title: title.slice(ids.length).trim(), path }))
}
