import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { ROOT } from '../source-tree.js'

const run = promisify(execFile)
const readJson = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), 'utf8'))

interface Locked {
  readonly version?: string
  readonly link?: boolean
  readonly integrity?: string
  readonly resolved?: string
  readonly hasInstallScript?: boolean
  readonly optional?: boolean
  readonly dev?: boolean
}

const { packages } = readJson('package-lock.json') as { packages: Readonly<Record<string, Locked>> }
const installed = Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && !link)

const PUBLISHED = ['protocol', 'server', 'client', 'standalone'] as const

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
}

const manifestOf = (name: string): Manifest => readJson(`packages/${name}/package.json`) as Manifest

describe('the dependencies', () => {
  it('T-113 need no script when they are installed, and none of ours is run at a user’s', () => {
    expect(installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([])
    expect(readFileSync(join(ROOT, 'scripts', 'prepare.mjs'), 'utf8')).toContain("'ci', '--ignore-scripts'")
    expect(PUBLISHED.filter((name) => manifestOf(name).scripts !== undefined)).toEqual([])
  })

  it('T-113 come from a registry, with the hash of what was taken; without one are only tools of other platforms', () => {
    const elsewhere = installed.filter(([, { resolved = '' }]) => /^(?:git|ssh|https?|file)/.test(resolved))
    expect(elsewhere.map(([path]) => path)).toEqual([])
    const unhashed = installed.filter(([, { integrity }]) => !(integrity ?? '').startsWith('sha512-'))
    expect(unhashed.filter(([, { optional, dev }]) => !optional || !dev).map(([path]) => path)).toEqual([])
    expect(unhashed.filter(([path]) => !/\/@(?:oxc-parser|oxfmt|oxlint|oxlint-tsgolint)\//.test(path))).toEqual([])
  })

  it('T-113 that run are those of this list', () => {
    const others = (name: string): string[] =>
      Object.keys(manifestOf(name).dependencies ?? {}).filter((dependency) => !dependency.startsWith('@holdfast/'))
    expect(others('client')).toEqual([])
    expect(others('protocol')).toEqual([])
    expect(others('server')).toEqual(['@hono/node-server', 'hono', 'jose', 'tldts', 'ws', 'zod'])
    expect(others('standalone')).toEqual(['@redis/client', 'commander', 'pino', 'ws', 'yaml', 'zod'])
  })
})

describe('a package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-supply-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  interface Packed {
    readonly integrity: string
    readonly files: readonly { readonly path: string }[]
  }

  const pack = async (name: string): Promise<Packed> => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline']
    const { stdout } = await run('npm', args, { cwd: join(ROOT, 'packages', name), maxBuffer: 16_777_216 })
    const [packed] = JSON.parse(stdout) as Packed[]
    if (packed === undefined) throw new Error(`npm packed nothing of ${name}`)
    return packed
  }

  const ALLOWED =
    /^(?:package\.json|README\.md|LICENSE|(?:dist|src|bin|vectors)\/[\w./-]+\.(?:[cm]?[jt]sx?|d\.ts|map|json|md|css|html|svg))$/

  it.each(PUBLISHED)(
    'T-114 %s holds sources and what is made of them: no test, no secret, nothing else',
    async (name) => {
      const paths = (await pack(name)).files.map(({ path }) => path)
      expect(paths).toContain('package.json')
      expect(paths.filter((path) => !ALLOWED.test(path))).toEqual([])
      expect(
        paths.filter((path) => /\.test\.|\/testing\/|\/conformance\/|\.env|secret\.(?:txt|json)/.test(path)),
      ).toEqual([])
      const texts = paths.filter((path) => path.startsWith('src/'))
      const told = texts.filter((path) => {
        const text = readFileSync(join(ROOT, 'packages', name, path), 'utf8')
        return /BEGIN (?:RSA |EC )?PRIVATE KEY-----\s*[A-Za-z0-9+/]{40}|npm_[A-Za-z0-9]{36}|\/\/registry\S+_authToken/.test(
          text,
        )
      })
      expect(told).toEqual([])
    },
  )

  it('T-114 is the same to the byte, however often it is packed', async () => {
    const [once, again] = [await pack('client'), await pack('client')]
    expect(once.integrity).toBe(again.integrity)
  })

  it.each(['protocol', 'client', 'server'])(
    'T-114 %s is built to the same bytes twice',
    async (name) => {
      const build = async (to: string): Promise<Record<string, string>> => {
        const out = join(folder, `${name}-${to}`)
        const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
        const args = [tsc, '-p', join(ROOT, 'packages', name), '--outDir', out]
        await run(process.execPath, [...args, '--tsBuildInfoFile', `${out}.tsbuildinfo`])
        const files = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((path) => /\.\w+$/.test(path))
        return Object.fromEntries(files.toSorted().map((path) => [path, readFileSync(join(out, path), 'utf8')]))
      }
      const [once, again] = [await build('once'), await build('again')]
      expect(Object.keys(once).length).toBeGreaterThan(10)
      expect(again).toEqual(once)
    },
    300_000,
  )
})

describe('the bill of materials', () => {
  it('T-116 names every package of the lock file with its version, without asking anybody', async () => {
    const { stdout } = await run(process.execPath, [join(ROOT, 'scripts', 'sbom.mjs')], { maxBuffer: 67_108_864 })
    const bill = JSON.parse(stdout) as { bomFormat: string; components: { name: string; version: string }[] }
    expect(bill.bomFormat).toBe('CycloneDX')
    const named = new Set(bill.components.map(({ name, version }) => `${name} ${version}`))
    const locked = installed.map(
      ([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)} ${version}`,
    )
    expect(locked.length).toBeGreaterThan(200)
    expect(locked.filter((one) => !named.has(one))).toEqual([])
  }, 60_000)
})
