import { readFileSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { exists, filesUnder, importsOf, ROOT, type SourceFile, withoutComments } from './source-tree.js'

// The rules of style that a program can check. Each `it` collects the violations, so that a failure lists all of them.

/** Tests, and suites that tests run. */
const isTest = ({ path }: SourceFile): boolean => /\.test\.ts$|\/conformance(?:\.ts|\/)|\/testing\//.test(path)

const sources = [
  ...filesUnder('packages', '.ts', '.tsx'),
  ...filesUnder('apps', '.ts', '.tsx'),
  ...filesUnder('bench', '.ts'),
].filter(({ path }) => path.includes('/src/') && !path.endsWith('.d.ts'))
const product = sources.filter((file) => !isTest(file))
const suites = [...sources.filter(isTest), ...filesUnder('tests', '.ts')]
const scripts = [...filesUnder('scripts', '.mjs'), ...filesUnder('examples', '.mjs')]

/** The package of a path: `packages/server` or `bench`. */
const packageOf = (path: string): string =>
  path
    .split('/')
    .slice(0, /^(?:packages|apps)\//.test(path) ? 2 : 1)
    .join('/')

describe('packages', () => {
  /** What each package may import of the others. */
  const ALLOWED: Record<string, string[]> = {
    'packages/protocol': [],
    'packages/client': ['@holdfast/protocol'],
    'packages/server': ['@holdfast/protocol'],
    'packages/standalone': ['@holdfast/protocol', '@holdfast/client', '@holdfast/server'],
    'apps/fill-scheduler': ['@holdfast/protocol', '@holdfast/client', '@holdfast/server'],
    bench: ['@holdfast/protocol', '@holdfast/client', '@holdfast/server'],
  }

  const EXPORTS: Record<string, string[]> = Object.fromEntries(
    ['protocol', 'client', 'server'].map((name) => {
      const { exports } = JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8')) as {
        exports: object
      }
      return [`@holdfast/${name}`, Object.keys(exports).map((path) => posix.join(`@holdfast/${name}`, path))]
    }),
  )

  it('depend on each other in one direction', () => {
    const wrong = product.flatMap((file) => {
      const allowed = ALLOWED[packageOf(file.path)] ?? []
      const others = importsOf(file).filter((name) => name.startsWith('@holdfast/') || name === 'holdfast')
      return others.filter((name) => !allowed.includes(ownerOf(name))).map((name) => `${file.path} imports ${name}`)
    })
    expect(wrong).toEqual([])
  })

  it('are imported through what they export, tests included', () => {
    const wrong = [...sources, ...suites].flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith('@holdfast/'))
        .filter((name) => !isExported(name, EXPORTS[ownerOf(name)] ?? []))
        .map((name) => `${file.path} imports ${name}`),
    )
    expect(wrong).toEqual([])
  })

  it('keep relative imports inside their own sources, with the ending .js; tests know the kit of all tests, too', () => {
    const wrong = sources.flatMap((file) => {
      const homes = [`${packageOf(file.path)}/src/`, ...(file.path.endsWith('.test.ts') ? ['tests/kit/'] : [])]
      const isAtHome = (path: string): boolean => homes.some((home) => path.startsWith(home))
      return importsOf(file)
        .filter((name) => name.startsWith('.') && !/\.css(?:\?\w+)?$/.test(name))
        .filter((name) => !name.endsWith('.js') || !isAtHome(posix.join(dirname(file.path), name)))
        .map((name) => `${file.path} imports ${name}`)
    })
    expect(wrong).toEqual([])
  })

  it('name each dependency they import', () => {
    const wrong = product.flatMap((file) => {
      const manifest = JSON.parse(readFileSync(join(ROOT, packageOf(file.path), 'package.json'), 'utf8')) as Manifest
      const known = Object.keys({
        ...manifest.dependencies,
        ...manifest.peerDependencies,
        ...manifest.optionalDependencies,
        // What is bundled into a page is needed to build it, not to run the package.
        ...(file.path.includes('/src/web/') ? manifest.devDependencies : {}),
      })
      return importsOf(file)
        .filter((name) => !name.startsWith('.') && !name.startsWith('node:') && !name.startsWith('virtual:'))
        .filter((name) => !known.includes(ownerOf(name)))
        .map((name) => `${file.path} imports ${name}`)
    })
    expect(wrong).toEqual([])
  })
})

/** The package that a module name belongs to. */
const ownerOf = (name: string): string =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')

interface Manifest {
  readonly dependencies?: object
  readonly devDependencies?: object
  readonly peerDependencies?: object
  readonly optionalDependencies?: object
}

function isExported(name: string, exported: string[]): boolean {
  return exported.some((path) => path === name || (path.endsWith('/*') && name.startsWith(path.slice(0, -1))))
}

describe('inside the server', () => {
  const home = 'packages/server/src/'
  const inside = product.filter(({ path }) => path.startsWith(home))

  /** The ports: the only files of other folders that the core may know. */
  const PORTS = [
    'clock.js',
    'memory.js',
    'network-address.js',
    'newest-entries.js',
    'random.js',
    'same-bytes.js',
    'token-bucket.js',
    'engine/engine.js',
    'event-stream.js',
    'transport/transport.js',
    'access/authenticator.js',
    'access/channel-rules.js',
    'access/identity.js',
    'telemetry/audit.js',
    'telemetry/log.js',
  ]

  const targetsOf = (file: SourceFile): string[] =>
    importsOf(file)
      .filter((name) => name.startsWith('.'))
      .map((name) => posix.join(dirname(file.path), name).slice(home.length))

  const violations = (folder: string, isAllowed: (target: string) => boolean): string[] =>
    inside
      .filter(({ path }) => path.startsWith(`${home}${folder}/`))
      .flatMap((file) =>
        targetsOf(file)
          .filter((target) => !target.startsWith(`${folder}/`) && !isAllowed(target))
          .map((target) => `${file.path} imports ${target}`),
      )

  it('the core imports nothing but the ports', () => {
    expect(violations('core', (target) => PORTS.includes(target))).toEqual([])
  })

  it('the core does no I/O: of what is not ours it imports hashing and comparing, and nothing else', () => {
    const wrong = inside
      .filter(({ path }) => path.startsWith(`${home}core/`))
      .flatMap((file) =>
        importsOf(file)
          .filter((name) => !name.startsWith('.') && name !== '@holdfast/protocol' && name !== 'node:crypto')
          .map((name) => `${file.path} imports ${name}`),
      )
    expect(wrong).toEqual([])
  })

  it.each([
    ['engine', ['transport', 'http', 'core', 'operations']],
    ['transport', ['engine', 'http', 'core', 'operations']],
    ['http', ['engine', 'transport']],
  ])('%s knows nothing of %j', (folder, strangers) => {
    expect(violations(folder, (target) => !strangers.includes(target.split('/')[0] ?? ''))).toEqual([])
  })
})

describe('a source file', () => {
  it('has a name in kebab-case that says what it holds', () => {
    const banned = /(?:^|-)(?:utils?|helpers?|types?|common|managers?|misc)\.tsx?$/
    const wrong = [...sources, ...suites]
      .map(({ path }) => path)
      .filter(
        (path) =>
          banned.test(basename(path)) || !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test|\.config)?\.tsx?$/.test(basename(path)),
      )
    expect(wrong).toEqual([])
  })

  it('is no barrel, the entry of a package excepted', () => {
    const wrong = product
      .filter(({ path }) => !/^(?:packages\/[a-z]+|bench)\/src\/(?:index|testing\/index|react\/index)\.ts$/.test(path))
      .filter(({ text }) => /^export (?:type )?(?:\*|\{[^}]*\}) (?:as \w+ )?from /m.test(text))
      .map(({ path }) => path)
    expect(wrong).toEqual([])
  })

  it('exports by name', () => {
    const wrong = [...sources, ...suites, ...scripts].filter(({ text }) =>
      /^export default\b|\bas default\b/m.test(text),
    )
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  it('says of each export what it promises', () => {
    expect([...product, ...scripts].flatMap(undocumentedExports)).toEqual([])
  })

  it('has at most 500 lines', () => {
    const wrong = product.filter(({ text }) => text.split('\n').length > 501)
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  it.each(['Date.now', 'Math.random', 'setTimeout', 'setInterval'])(
    'shares %s with no other of its package',
    (word) => {
      const pattern = new RegExp(`(?<![\\w.])${word.replace('.', '\\.')}\\b`)
      const users = product.filter(({ text }) => pattern.test(withoutComments(text))).map(({ path }) => path)
      const crowded = users.filter((path) =>
        users.some((other) => other !== path && packageOf(other) === packageOf(path)),
      )
      expect(crowded).toEqual([])
    },
  )
})

function undocumentedExports({ path, text }: SourceFile): string[] {
  const lines = text.split('\n')
  const declaration =
    /^export (?:declare )?(?:async )?(?:abstract )?(?:function\*?|const|let|class|interface|type) (\w+)/
  return lines.flatMap((line, at) => {
    const name = declaration.exec(line)?.[1]
    if (name === undefined) return []
    // Hints to bundlers, and the other signatures of the same function, may stand between.
    const mayStandBetween = (other = ''): boolean =>
      /^\/\* @__\w+__ \*\/$/.test(other) || other.startsWith(`export function ${name}`)
    let above = at - 1
    while (mayStandBetween(lines[above])) above -= 1
    return (lines[above] ?? '').endsWith('*/') ? [] : [`${path}:${at + 1} ${name}`]
  })
}

describe('a test', () => {
  it('is neither skipped nor run alone', () => {
    const pattern = /\b(?:it|test|describe)(?:\.\w+)*\.(?:only|skip|todo|skipIf|runIf|fails)\b|\bx(?:it|describe)\(/
    const wrong = suites.filter(
      ({ path, text }) => path !== 'tests/tidy.test.ts' && pattern.test(withoutComments(text)),
    )
    expect(wrong.map(({ path }) => path)).toEqual([])
  })

  it('has a title that states what happens', () => {
    const wrong = suites.filter(({ text }) => /^\s*(?:it|test)\b.*['"`][^'"`]*\bshould\b/m.test(text))
    expect(wrong.map(({ path }) => path)).toEqual([])
  })
})

describe('the repository', () => {
  it('names no address in its lock file, so that any registry can serve it', () => {
    const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')
    expect(lock.match(/"resolved": "(?:https?|git|ssh)[^"]*"/g) ?? []).toEqual([])
  })

  it('locks the optional packages of every platform, without which npm ci refuses a fresh clone', () => {
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, Locked>
    }
    const names = Object.keys(lock.packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13))
    const wanted = Object.values(lock.packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
    expect(wanted.filter((name) => !names.includes(name))).toEqual([])
  })

  it('pins every dependency to one version', () => {
    const wrong = [
      '.',
      'packages/protocol',
      'packages/client',
      'packages/server',
      'packages/standalone',
      'apps/fill-scheduler',
      'bench',
      'tests/rest/generator',
    ].flatMap((folder) => {
      const manifest = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as Record<string, object>
      const pinned = Object.entries({ ...manifest['dependencies'], ...manifest['devDependencies'] })
      return pinned
        .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version)))
        .map(([name]) => `${folder}: ${name}`)
    })
    expect(wrong).toEqual([])
  })

  it('has pages whose relative links lead somewhere', () => {
    expect(filesUnder('.', '.md').flatMap(brokenLinks)).toEqual([])
  })
})

interface Locked {
  readonly optionalDependencies?: object
}

function brokenLinks({ path, text }: SourceFile): string[] {
  const prose = text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '')
  const links = Array.from(
    prose.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)|(?:src|href)="([^"]+)"/g),
    (match) => match[1] ?? match[2] ?? '',
  )
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => !leadsSomewhere(path, link))
    .map((link) => `${path}: ${link}`)
}

function leadsSomewhere(from: string, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? from : posix.join(dirname(from), decodeURIComponent(file))
  if (!exists(target)) return false
  if (anchor === undefined || !target.endsWith('.md')) return true
  const headings = readFileSync(join(ROOT, target), 'utf8').match(/^#+ .*$/gm) ?? []
  return headings.some((heading) => slug(heading) === anchor)
}

/** The anchor that a heading gets: lower case, without marks, spaces as hyphens. */
function slug(heading: string): string {
  const words = heading.replace(/^#+ /, '').toLowerCase()
  return words.replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
}
