import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FillServer, startServer } from '../../apps/fill-scheduler/src/api/server.js'
import { main } from '../../apps/fill-scheduler/src/cli/main.js'
import { KPI_NAMES } from '../../apps/fill-scheduler/src/io/reports/figures.js'
import { STRATEGIES } from '../../apps/fill-scheduler/src/planning/strategies/strategies.js'
import { ROOT, filesUnder, withoutComments } from '../source-tree.js'
import { REFERENCE, ReferencePage, settingRows } from './reference-page.js'

const APP = 'apps/fill-scheduler/src'

const page = new ReferencePage()

/** What a command says of itself. */
async function help(...words: string[]): Promise<string> {
  let printed = ''
  const output = { columns: 120, write: (text: string) => (printed += text) }
  const shell = { stdin: process.stdin, stdout: output, stderr: output, env: {}, cwd: ROOT }
  expect(await main([...words, '--help'], { ...shell, interrupted: new AbortController().signal })).toBe(0)
  return printed
}

/** Long names of options of a help text. */
function optionsIn(text: string): string[] {
  return Array.from(text.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm), ([, name = '']) => name).filter(
    (name) => name !== '--help',
  )
}

/** Names of commands of a help text. */
function commandsIn(text: string): string[] {
  const list = /\nCommands:\n([\s\S]*?)(?:\n\n|$)/.exec(text)?.[1] ?? ''
  return Array.from(list.matchAll(/^ {2}([a-z-]+)/gm), ([, name = '']) => name).filter((name) => name !== 'help')
}

describe(REFERENCE, () => {
  it('has every setting with its default, its bounds and its older names', () => {
    expect(page.rows('Settings')).toEqual(settingRows())
  })

  it('has every strategy with its other names', () => {
    const rows = page.rows('Strategies').slice(0, STRATEGIES.length)
    expect(rows).toEqual(
      STRATEGIES.map(({ name, aliases, description }) => [
        `\`${name}\``,
        aliases.map((alias) => `\`${alias}\``).join(', '),
        description,
      ]),
    )
  })

  it('has every figure of a plan', () => {
    const names = page.names('Plans')
    expect(KPI_NAMES.filter((name) => !names.includes(name))).toEqual([])
  })

  it('has every code of a problem, and none that is no more', () => {
    const listed = page.names('Problems').flatMap((names) => names.split(', '))
    const used = codesOfProblems()
    expect(used.length).toBeGreaterThan(40)
    expect(used.filter((code) => !listed.includes(code))).toEqual([])
    expect(listed.filter((code) => !used.includes(code))).toEqual([])
  })
})

/** Codes of problems, as reading, checking and planning give them. */
function codesOfProblems(): string[] {
  const sources = [...filesUnder(`${APP}/io`, '.ts'), ...filesUnder(`${APP}/planning`, '.ts')].filter(
    ({ path }) => !/\.test\.ts$|\/testing\/|\/reports\//.test(path),
  )
  const given = [
    /\bcode: '([a-z_\d]+)'/g,
    /\b(?:error|#error|refusal|refused|warn|complain)\(\s*'([a-z\d]+(?:_[a-z\d]+)+|gap|overlap)'/g,
    /\bcomplain\([\w']+, '([a-z_]+)'/g,
    /'(wrong_(?:clean|fill|changeover)_length|unsupported_by_exact|unknown_line)'/g,
    /\b(?:problem|refusal)\(\s*'([a-z_]+_[a-z_]+)'/g,
  ]
  const literal = sources.flatMap(({ text }) =>
    given.flatMap((pattern) => Array.from(withoutComments(text).matchAll(pattern), ([, code = '']) => code)),
  )
  // Made of the name of a member or of a format.
  const made = ['bad_json', 'bad_yaml', 'bad_lot_id', 'bad_lot_type', 'empty_id', 'empty_type']
  return [...new Set([...literal, ...made])].filter((code) => code !== 'custom')
}

describe('the command line in the reference', () => {
  let commands: Map<string, string[]>
  let own: string[]

  beforeAll(async () => {
    const top = await help()
    own = optionsIn(top)
    const entries = await Promise.all(commandsIn(top).map((name) => entriesOf(name)))
    commands = new Map(entries.flat())
  })

  async function entriesOf(name: string): Promise<[string, string[]][]> {
    const text = await help(name)
    const inner = commandsIn(text)
    if (inner.length === 0) return [[name, optionsIn(text)]]
    return Promise.all(
      inner.map(async (part): Promise<[string, string[]]> => [`${name} ${part}`, optionsIn(await help(name, part))]),
    )
  }

  it('has every command, and none that is no more', () => {
    const listed = page.names('Command line').filter((name) => commands.has(name) || /^[a-z]/.test(name))
    expect(listed).toEqual([...commands.keys()])
  })

  it('has every option', () => {
    const text = page.section('Command line') + page.section('Environment')
    const options = [...own, ...[...commands.values()].flat()]
    expect(options.length).toBeGreaterThan(40)
    expect(options.filter((name) => !new RegExp(`\`[^\`]*${name}\\b`).test(text))).toEqual([])
  })
})

describe('the environment in the reference', () => {
  it('has every variable that is read', () => {
    const sources = filesUnder(APP, '.ts').filter(({ path }) => !/\.test\.ts$|\/testing\//.test(path))
    const read = sources.flatMap(({ text }) =>
      Array.from(text.matchAll(/\benv\['([A-Z_]+)'\]/g), ([, name = '']) => name),
    )
    // Of the desktop, and of machines that build.
    const own = [...new Set(read)].filter((name) => !['CI', 'DISPLAY', 'WAYLAND_DISPLAY'].includes(name))
    expect(own.length).toBeGreaterThan(5)
    expect(own.filter((name) => !page.section('Environment').includes(`\`${name}\``))).toEqual([])
  })
})

describe('the REST API in the reference', () => {
  let folder: string
  let server: FillServer
  let document: { readonly paths: Readonly<Record<string, object>> }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fill-scheduler-'))
    const options = { host: '127.0.0.1', port: 0, dataDir: folder, environment: 'development' } as const
    server = await startServer({ ...options, secret: 'x'.repeat(32), log: silent })
    document = (await (await fetch(`${server.url}/openapi.json`)).json()) as typeof document
  })

  afterAll(async () => {
    await server?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('has every route, and none that is no more', () => {
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const listed = page.names('REST').filter((name) => name.includes(' /'))
    expect(routes.length).toBeGreaterThan(30)
    expect(listed.toSorted()).toEqual(routes.toSorted())
  })

  it('has every code of an error', () => {
    const listed = page.names('REST')
    const sources = filesUnder(`${APP}/api`, '.ts').filter(({ path }) => !path.endsWith('.test.ts'))
    const pattern = /(?:new ApiError|refused)\(\s*'([a-z_]+)'/g
    const codes = sources.flatMap(({ text }) => Array.from(text.matchAll(pattern), ([, code = '']) => code))
    expect(codes.length).toBeGreaterThan(10)
    expect([...new Set(codes)].filter((code) => !listed.includes(code))).toEqual([])
  })
})

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
