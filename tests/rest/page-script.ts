import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../source-tree.js'

/** A block of a page that a shell runs, and what the page says that it prints. */
export interface RunBlock {
  /** `docs/guides/rest.md:42` */
  readonly place: string
  readonly code: string
  /** The text of the `json` or `text` block behind it; undefined: the page shows none. */
  readonly shown: { readonly kind: 'json' | 'text'; readonly text: string } | undefined
}

/** What of a page is run: the files that it shows, and its blocks, in order. */
export interface PageScript {
  readonly files: ReadonlyMap<string, string>
  readonly blocks: readonly RunBlock[]
}

const FILE = /^<!-- file: ([\w.-]+) -->\n```\w+\n([\s\S]*?)^```$/gm
const RUN = '\\n```sh\\n([\\s\\S]*?)^```$(?:\\n```(json|text)\\n([\\s\\S]*?)^```$)?'

/** Reads a page: blocks behind `<!-- run -->` (or another mark) are run, those behind `<!-- file: name -->` are files. */
export function readPageScript(path: string, mark: string = 'run'): PageScript {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const files = new Map([...text.matchAll(FILE)].map(([, name = '', content = '']) => [name, content]))
  const blocks = [...text.matchAll(new RegExp(`^<!-- ${mark} -->${RUN}`, 'gm'))].map(
    ({ index, 1: code = '', 2: kind, 3: shown = '' }): RunBlock => {
      const place = `${path}:${text.slice(0, index).split('\n').length}`
      return { place, code, shown: kind === 'json' || kind === 'text' ? { kind, text: shown } : undefined }
    },
  )
  return { files, blocks }
}

/** What is different between what a page shows and what was printed; values of JSON may differ, their kinds and names may not. A member `…` stands for any others. */
export function differences({ kind, text }: { kind: 'json' | 'text'; text: string }, printed: string): string[] {
  if (kind === 'json') return shapeDifferences(JSON.parse(text), parse(printed), '')
  const [shown, actual] = [linesOf(text), linesOf(printed)]
  const wrong = shown.filter((line, at) => !isLike(line, actual[at] ?? ''))
  return shown.length <= actual.length ? wrong : [`${shown.length} lines are shown, ${actual.length} were printed`]
}

function parse(printed: string): unknown {
  try {
    return JSON.parse(printed) as unknown
  } catch {
    return `no JSON: ${printed}`
  }
}

function linesOf(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trimEnd())
}

/** Numbers and JSON differ from run to run. */
function isLike(shown: string, actual: string): boolean {
  const plain = (line: string): string => line.replace(/\{.*\}$/, '{}').replace(/\d+/g, '0')
  return shown.includes('{"') ? plain(shown) === plain(actual) : shown === actual || plain(shown) === plain(actual)
}

function shapeDifferences(shown: unknown, actual: unknown, path: string): string[] {
  const place = path === '' ? 'it' : path
  if (Array.isArray(shown)) {
    if (!Array.isArray(actual)) return [`${place} is no list`]
    if (shown.length > 0 && actual.length === 0) return [`${place} is empty`]
    return shown.length === 0 ? [] : shapeDifferences(shown[0], actual[0], `${path}[0]`)
  }
  if (isObject(shown))
    return isObject(actual) ? memberDifferences(shown, actual, path) : [`${place} is no object: ${String(actual)}`]
  return typeof shown === typeof actual
    ? []
    : [`${place} is ${JSON.stringify(actual)}, not like ${JSON.stringify(shown)}`]
}

function memberDifferences(shown: Members, actual: Members, path: string): string[] {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`)
  const missing = Object.keys(shown).filter((name) => name !== '…' && !(name in actual))
  const extra = '…' in shown ? [] : Object.keys(actual).filter((name) => !(name in shown))
  return [
    ...missing.map((name) => `${at(name)} is missing`),
    ...extra.map((name) => `${at(name)} is not shown`),
    ...Object.keys(shown).flatMap((name) =>
      name in actual ? shapeDifferences(shown[name], actual[name], at(name)) : [],
    ),
  ]
}

type Members = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
