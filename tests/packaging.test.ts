import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from './source-tree.js'

const run = promisify(execFile)

interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const FOLDERS = ['protocol', 'server', 'client', 'standalone'] as const

/** What a user of TypeScript has of their own. */
const TYPES = ['@types/node', '@types/react', '@types/ws', 'undici-types', 'csstype']

let place: string
let manifests: readonly Manifest[]

const modules = (name: string): string => join(place, 'node_modules', name)

/** Puts what npm would publish where npm would install it. */
async function install(folder: string): Promise<Manifest> {
  const args = ['pack', '--json', '--ignore-scripts', '--offline', '--pack-destination', place]
  const { stdout } = await run('npm', args, { cwd: join(ROOT, 'packages', folder), maxBuffer: 16_777_216 })
  const [{ filename, name }] = JSON.parse(stdout) as [{ filename: string; name: string }]
  await mkdir(modules(name), { recursive: true })
  await run('tar', ['-xzf', join(place, filename), '-C', modules(name), '--strip-components=1'])
  return JSON.parse(await readFile(join(modules(name), 'package.json'), 'utf8')) as Manifest
}

/** The packages of others are those of the repository. */
async function link(name: string): Promise<void> {
  await mkdir(dirname(modules(name)), { recursive: true })
  await symlink(join(ROOT, 'node_modules', name), modules(name))
}

const dependenciesOf = ({ dependencies, peerDependencies }: Manifest): string[] =>
  Object.keys({ ...dependencies, ...peerDependencies }).filter((name) => !name.startsWith('@holdfast/'))

/** Everything that may be imported: `@holdfast/client/react`. */
const entriesOf = ({ name, exports = {} }: Manifest): string[] =>
  Object.keys(exports)
    .filter((path) => !path.includes('*'))
    .map((path) => name + path.slice(1))

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'holdfast-packed-'))
  await writeFile(join(place, 'package.json'), '{"type":"module"}')
  manifests = await Promise.all(FOLDERS.map(install))
  await Promise.all([...new Set([...manifests.flatMap(dependenciesOf), ...TYPES])].map(link))
}, 60_000)

afterAll(() => rm(place, { recursive: true, force: true }))

describe('what is published', () => {
  it('has an entry for each part', () => {
    expect(manifests.flatMap(entriesOf).toSorted()).toEqual([
      '@holdfast/client',
      '@holdfast/client/event-stream',
      '@holdfast/client/file-cursor',
      '@holdfast/client/progress',
      '@holdfast/client/progress.bundle.js',
      '@holdfast/client/react',
      '@holdfast/protocol',
      '@holdfast/server',
      '@holdfast/server/sign-token',
    ])
  })

  it('can be imported, every entry of it, where nothing else of ours is', async () => {
    const entries = manifests.flatMap(entriesOf)
    const lines = entries.map((entry) => `names[${JSON.stringify(entry)}] = Object.keys(await import('${entry}'))`)
    const script = `const names = {}\n${lines.join('\n')}\nconsole.log(JSON.stringify(names))\nprocess.exit()`
    await writeFile(join(place, 'import.js'), script)
    const { stdout } = await run(process.execPath, ['import.js'], { cwd: place })
    const names = JSON.parse(stdout) as Record<string, string[]>
    expect(Object.keys(names)).toEqual(entries)
    expect(names['@holdfast/server']).toContain('createHoldfast')
    expect(names['@holdfast/server/sign-token']).toEqual(['signToken'])
    expect(names['@holdfast/client']).toContain('Holdfast')
    expect(names['@holdfast/client/event-stream']).toContain('fallbackWebSocket')
    expect(names['@holdfast/client/react']).toContain('useOperation')
    expect(names['@holdfast/client/progress']).toContain('HoldfastProgress')
  })

  it.each(['nodenext', 'esnext'])(
    'has types for every entry of it, with modules as in %s',
    async (module) => {
      const entries = manifests.flatMap(entriesOf).filter((entry) => !entry.endsWith('.js'))
      const imports = entries.map((entry, at) => `import * as entry${at} from '${entry}'`)
      const uses = `const client: Holdfast = new Holdfast('wss://example.com/ws', { connect: false })
const percent: Promise<number> = client.operation<number>('import-42').done
const bar: HTMLElementTagNameMap['holdfast-progress'] | undefined = undefined
console.log(percent, bar, ${entries.map((_, at) => `entry${at}`).join(', ')})`
      const text = `import { Holdfast } from '@holdfast/client'\n${imports.join('\n')}\n${uses}\n`
      await writeFile(join(place, 'program.ts'), text)
      const resolution = module === 'esnext' ? 'bundler' : 'nodenext'
      const flags = ['--module', module, '--moduleResolution', resolution, '--types', 'node', '--lib', 'es2023,dom']
      const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
      const args = [tsc, '--noEmit', '--strict', '--target', 'es2023', ...flags, 'program.ts']
      const { stdout } = await run(process.execPath, args, { cwd: place }).catch((error: { stdout: string }) => error)
      expect(stdout).toBe('')
    },
    60_000,
  )

  it('has a command line that runs', async () => {
    const program = join(modules('holdfast'), 'bin', 'holdfast.js')
    const { stdout } = await run(process.execPath, [program, 'openapi'], { cwd: place, maxBuffer: 16_777_216 })
    expect(JSON.parse(stdout)).toMatchObject({ openapi: '3.1.0' })
  })
})
