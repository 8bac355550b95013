import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectationAt } from '../../apps/fill-scheduler/src/io/setting-schema.js'
import { SETTING_TABLE } from '../../apps/fill-scheduler/src/io/setting-table.js'
import { DEFAULT_SETTINGS, settingsSchema } from '../../apps/fill-scheduler/src/planning/settings.js'
import { ROOT } from '../source-tree.js'

/** The reference of the fill scheduler. */
export const REFERENCE = 'docs/reference/fill-scheduler.md'

/** The page, section by section. */
export class ReferencePage {
  readonly text: string = readFileSync(join(ROOT, REFERENCE), 'utf8')

  /** The text of a section, from its heading to the next of the same level. */
  section(title: string): string {
    const from = this.text.indexOf(`\n## ${title}\n`)
    if (from < 0) throw new Error(`${REFERENCE} has no section ${title}`)
    const to = this.text.indexOf('\n## ', from + 1)
    return this.text.slice(from, to < 0 ? undefined : to)
  }

  /** The cells of every row of every table of a section, headings left out. */
  rows(title: string): string[][] {
    const tables = this.section(title).match(/(?:^\|.*\|$\n?)+/gm) ?? []
    return tables.flatMap((table) =>
      table
        .trim()
        .split('\n')
        .slice(2)
        .map((line) =>
          line
            .slice(1, -1)
            .split(/(?<!\\)\|/)
            .map((cell) => cell.trim()),
        ),
    )
  }

  /** What stands in the first cell of each row, without its marks. */
  names(title: string): string[] {
    return this.rows(title).map(([name = '']) => name.replaceAll('`', ''))
  }
}

/** The table of settings as the code has them: name, default, bounds, meaning, older names. */
export function settingRows(): string[][] {
  let meaning = ''
  return Object.entries(SETTING_TABLE).map(([path, { note, olderNames = [] }]) => {
    // Two settings may share a note, which stands with the first.
    meaning = note === '' ? 'see above' : note
    return [`\`${path}\``, defaultOf(path), boundsOf(path), meaning, olderNames.map((name) => `\`${name}\``).join(', ')]
  })
}

function defaultOf(path: string): string {
  const value = path.split('.').reduce<unknown>((node, name) => (node as Members | undefined)?.[name], DEFAULT_SETTINGS)
  if (value === undefined) return 'none'
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

/** What the schema has no words for it says when it refuses. */
function boundsOf(path: string): string {
  const segments = path.split('.')
  const expected = expectationAt(segments)
  if (expected !== undefined) return expected
  const wrong = segments.reduceRight<unknown>((value, name) => ({ [name]: value }), '?')
  return settingsSchema.safeParse(wrong).error?.issues[0]?.message ?? ''
}

type Members = Readonly<Record<string, unknown>>
