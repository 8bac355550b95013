import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  CHANNEL_NAME_PATTERN,
  CLOSE,
  type CloseReason,
  COMMANDS,
  DATA_DEPTH_MAX,
  DEFAULT_FRAME_LIMITS,
  ERRORS,
  type ErrorEntry,
  GAP_REASONS,
  OPERATION_EVENTS,
  type Schema,
  SERVER_MESSAGES,
  SUBPROTOCOL,
} from '@holdfast/protocol'
import { filesUnder, ROOT, type SourceFile } from './source-tree.js'

const page = filesUnder('docs/reference', 'protocol.md')[0]?.text ?? ''

/** The text of a section, from its heading to the next of the same level. */
function section(title: string): string {
  const from = page.indexOf(`\n## ${title}\n`)
  const to = page.indexOf('\n## ', from + 1)
  return from < 0 ? '' : page.slice(from, to < 0 ? undefined : to)
}

/** The cells of each row of the first table in a section. */
function rows(title: string): string[][] {
  const lines = section(title).match(/^\|.*\|$/gm) ?? []
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  )
}

/** The members of a schema, and those of the objects directly inside it. */
function membersOf(schema: Schema<unknown>): { own: string[]; inner: string[] } {
  const { properties = {} } = schema.toJsonSchema() as { properties?: Record<string, { properties?: object }> }
  return {
    own: Object.keys(properties).filter((name) => name !== 'type'),
    inner: Object.values(properties).flatMap((member) => Object.keys(member.properties ?? {})),
  }
}

describe('docs/reference/protocol.md', () => {
  it.each(Object.entries(COMMANDS))('lists the command %s with every member', (type, schema) => {
    // Every command may carry an id; the page says so once.
    expect(missing('Commands', type, schema).filter((name) => name !== 'id')).toEqual([])
  })

  it.each(Object.entries(SERVER_MESSAGES))('lists the message %s with every member', (type, schema) => {
    expect(missing('Server messages', type, schema)).toEqual([])
  })

  /** Its own members stand in its row; what is inside them may be explained elsewhere on the page. */
  function missing(title: string, type: string, schema: Schema<unknown>): string[] {
    const row =
      rows(title)
        .find(([name]) => name === `\`${type}\``)
        ?.join(' ') ?? ''
    const { own, inner } = membersOf(schema)
    const absent = (text: string) => (name: string) => !text.includes(`\`${name}\``)
    return [...own.filter(absent(row)), ...inner.filter(absent(page))]
  }

  it('lists nothing that is not in the code', () => {
    expect(rows('Commands').map(([name]) => name)).toEqual(Object.keys(COMMANDS).map((type) => `\`${type}\``))
    expect(rows('Server messages').map(([name]) => name)).toEqual(
      Object.keys(SERVER_MESSAGES).map((type) => `\`${type}\``),
    )
  })

  it('has the table of close reasons', () => {
    const expected = Object.values<CloseReason>(CLOSE).map((entry) => [
      String(entry.code),
      `\`${entry.reason}\``,
      entry.reconnect,
      entry.meaning,
    ])
    expect(rows('Closing')).toEqual(expected)
  })

  it('has the table of error codes', () => {
    const expected = Object.entries<ErrorEntry>(ERRORS).map(([code, entry]) => [
      `\`${code}\``,
      entry.retryable ? 'yes' : 'no',
      entry.blame,
      entry.message,
      entry.remedy,
    ])
    expect(rows('Errors')).toEqual(expected)
  })

  it('names every reason for a gap, and no other', () => {
    const reasons = section('Positions and recovery').match(/^\| `(\w+)` \|/gm) ?? []
    const listed = reasons.map((row) => row.slice(3, -3))
    expect(listed).toEqual(['new', 'full', 'gap', ...GAP_REASONS])
  })

  it('names every event of an operation', () => {
    const events = section('Application events')
    expect(OPERATION_EVENTS.filter((event) => !events.includes(`\`${event}\``))).toEqual([])
  })

  it('states the limits, the pattern of names and the subprotocol as the code has them', () => {
    const limits = Object.fromEntries(rows('Limits') as [string, string][])
    expect(limits['bytes of a frame, and of the data of one message']).toBe(
      String(DEFAULT_FRAME_LIMITS.messageBytesMax),
    )
    expect(limits['bytes of a frame before the welcome']).toBe(String(DEFAULT_FRAME_LIMITS.handshakeBytesMax))
    expect(limits['commands in a frame']).toBe(String(DEFAULT_FRAME_LIMITS.commandsPerFrameMax))
    expect(limits['nesting of arrays and objects in a command']).toBe(String(DEFAULT_FRAME_LIMITS.jsonDepthMax))
    expect(limits['members of an object']).toBe(String(DEFAULT_FRAME_LIMITS.objectKeysMax))
    expect(section('Data')).toContain(`nesting over ${DATA_DEPTH_MAX}`)
    expect(section('Limits')).toContain(`\`${CHANNEL_NAME_PATTERN.source}\``)
    expect(section('Frames')).toContain(`\`${SUBPROTOCOL}\``)
  })
})

describe('README.md', () => {
  const text = filesUnder('.', 'README.md').find(({ path }) => path === 'README.md')?.text ?? ''
  const proofs = Array.from(text.matchAll(/\[([^\]]+)\]\(([^)]+\.ts)\)/g), ([, title = '', path = '']) => ({
    title,
    path,
  }))

  it('names a test for each promise', () => expect(proofs.length).toBeGreaterThan(4))

  it.each(proofs)('finds "$title" in $path', ({ title, path }) => {
    expect(readFileSync(join(ROOT, path), 'utf8').includes(title)).toBe(true)
  })
})

describe('ARCHITECTURE.md', () => {
  it('names only files that are there', () => {
    const map = filesUnder('.', 'ARCHITECTURE.md')[0]?.text ?? ''
    const named = Array.from(map.matchAll(/`([\w./-]+\.ts)`/g), ([, name = '']) => name)
    const paths = filesUnder('.', '.ts').map(({ path }) => `/${path}`)
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((name) => !paths.some((path) => path.endsWith(`/${name}`)))).toEqual([])
  })
})

/** A block of TypeScript on a page. */
interface Example {
  /** The page and the line where the block begins. */
  readonly place: string
  readonly code: string
  /** The name of the file that it becomes, by its place among all. */
  readonly file: (at: number) => string
}

/**
 * The blocks of a page marked `ts` or `tsx`. One marked `ts continued` goes on where the one before it ended. A comment
 * `<!-- ts: declare … -->` before a block belongs to it: what a reader can guess, and a compiler cannot. A block marked
 * `ts fragment` is no program and is left out.
 */
function examplesOf({ path, text }: SourceFile): Example[] {
  const examples: Example[] = []
  for (const match of text.matchAll(
    /((?:<!-- ts:[\s\S]*?-->\s*)*)^```(tsx?)( continued| fragment)?\n([\s\S]*?)^```$/gm,
  )) {
    const [, hidden = '', language, kind, code = ''] = match
    if (kind === ' fragment') continue
    const declared = Array.from(hidden.matchAll(/<!-- ts:([\s\S]*?)-->/g), (comment) => comment[1]).join('\n')
    const before = kind === ' continued' ? examples.pop()?.code : undefined
    const place = `${path}:${text.slice(0, match.index).split('\n').length}`
    const file = (at: number): string => `example-${at}.${language}`
    examples.push({ place, file, code: [before, declared, code].filter(Boolean).join('\n') })
  }
  return examples
}

describe('the examples in the pages', () => {
  const folder = join(ROOT, 'tmp', 'docs')
  const pages = [
    ...filesUnder('docs', '.md'),
    ...filesUnder('.', 'README.md').filter(({ path }) => !path.startsWith('docs/')),
  ]
  const examples = pages.flatMap(examplesOf)
  let errors: Map<string, string[]>

  beforeAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    examples.forEach(({ code, file }, at) => writeFileSync(join(folder, file(at)), `${code}\nexport {}\n`))
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration()))
    errors = await compile(folder)
  })

  it('are found', () => expect(examples.length).toBeGreaterThan(0))

  it.each(examples.map(({ place, file }, at) => ({ place, name: file(at) })))('$place compiles', ({ name }) => {
    expect(errors.get(name) ?? []).toEqual([])
  })
})

function configuration(): object {
  return {
    extends: '../../tsconfig.test.json',
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false, jsx: 'react-jsx' },
    include: ['*.ts', '*.tsx'],
  }
}

/** The compiler's complaints, by file. */
async function compile(folder: string): Promise<Map<string, string[]>> {
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const output = await promisify(execFile)(process.execPath, [compiler, '-p', folder, '--pretty', 'false']).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  )
  const byFile = new Map<string, string[]>()
  for (const line of output.split('\n').filter(Boolean)) {
    const file = /([\w-]+\.tsx?)\(/.exec(line)?.[1] ?? ''
    byFile.set(file, [...(byFile.get(file) ?? []), line])
  }
  return byFile
}
