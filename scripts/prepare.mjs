import './node-version.mjs'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root, run } from './tool.mjs'
import { hasValkey, unpackValkey } from './valkey.mjs'

// What stands between a fresh clone and a running command. `build` installs and builds what is missing or old;
// `test` also makes sure of the programs that only the tests need. A tree that is ready costs about a second.

/**
 * Programs that tests start and that npm cannot install: how to find each, Debian's package of it, and the service that
 * Debian makes of it, which the tests do not need.
 */
const PROGRAMS = [
  {
    name: 'Chromium',
    debian: 'chromium',
    otherwise: 'install Chromium or Chrome and name it in CHROMIUM_PATH',
    present: () => existsSync(process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'),
  },
  {
    name: 'python3 with the module websockets, a client that we did not write',
    debian: 'python3-websockets',
    otherwise: 'make /usr/bin/python3 -c "import websockets" work',
    present: async () =>
      existsSync('/usr/bin/python3') &&
      (await run('/usr/bin/python3', ['-c', 'import websockets'], { stdio: 'ignore' })).code === 0,
  },
  {
    name: 'python3 with the module openpyxl, which reads workbooks',
    debian: 'python3-openpyxl',
    otherwise: 'make /usr/bin/python3 -c "import openpyxl" work',
    present: async () =>
      existsSync('/usr/bin/python3') &&
      (await run('/usr/bin/python3', ['-c', 'import openpyxl'], { stdio: 'ignore' })).code === 0,
  },
  {
    name: 'pdftotext and pdftoppm, which read PDF',
    debian: 'poppler-utils',
    otherwise: 'put pdftotext and pdftoppm on the search path',
    present: () => isOnPath('pdftotext') && isOnPath('pdftoppm'),
  },
  program('redis-server', { service: 'redis-server' }),
  program('redis-sentinel', { service: 'redis-sentinel' }),
  program('haproxy', { service: 'haproxy' }),
  program('nginx', { service: 'nginx' }),
  {
    name: 'PostgreSQL',
    debian: 'postgresql',
    service: 'postgresql',
    otherwise: 'put initdb and postgres on the search path',
    present: () => isOnPath('initdb') || postgresOfDebian().length > 0,
  },
  program('strace'),
  program('faketime'),
  program('openssl'),
  program('curl'),
  program('zsh'),
  program('fish'),
]

/** What apt-get would install only with sources that this machine does not have. */
const UNPACKED = {
  name: 'Valkey',
  otherwise: 'install valkey-server 8 or newer as /usr/bin/valkey-server',
  present: hasValkey,
}

/** Debian asks this program whether a package may start its service; 101 forbids it. */
const POLICY = '/usr/sbin/policy-rc.d'

await main(process.argv.slice(2))

/** A program that is called like its package. */
function program(name, { service } = {}) {
  return { name, debian: name, service, otherwise: `put ${name} on the search path`, present: () => isOnPath(name) }
}

function isOnPath(name) {
  // Servers stand in sbin, which is not on everybody's search path.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.some((folder) => folder !== '' && existsSync(join(folder, name)))
}

/** Servers of PostgreSQL that Debian installed, which puts them on nobody's search path. */
function postgresOfDebian() {
  const folder = '/usr/lib/postgresql'
  const versions = existsSync(folder) ? readdirSync(folder) : []
  return versions.filter((version) => existsSync(join(folder, version, 'bin', 'initdb')))
}

async function main(wanted) {
  const unknown = wanted.find((word) => word !== 'build' && word !== 'test')
  if (unknown !== undefined || wanted.length === 0) {
    return fail(`usage: node scripts/prepare.mjs build [test]${unknown ? `, received ${JSON.stringify(unknown)}` : ''}`)
  }
  if (!isInstalled()) await install()
  if (wanted.includes('build')) await build()
  if (wanted.includes('test')) await findPrograms()
}

/** Whether node_modules holds what package-lock.json names, whoever installed it. */
function isInstalled() {
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'))
  if (installed === undefined) return false
  const locked = readPackages(join(root, 'package-lock.json')) ?? {}
  return Object.entries(locked).every(([path, entry]) => {
    if (!path.startsWith('node_modules/') || entry.optional) return true
    return installed[path]?.version === entry.version && existsSync(join(root, path))
  })
}

function readPackages(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined
}

async function install() {
  console.log('Installing dependencies (npm ci) …')
  // Install scripts of dependencies are not needed, so they are not run.
  const { code } = await npm(['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'])
  if (code !== 0)
    fail('The dependencies could not be installed; npm says why above. Mend it and run: npm ci --ignore-scripts')
}

function npm(args) {
  const cli = process.env.npm_execpath
  // Under `npm start` npm names its own script; a package manager of another name must not install from npm's lock file.
  return cli && /npm-cli\.c?js$/.test(cli) ? run(process.execPath, [cli, ...args]) : run('npm', args)
}

async function build() {
  // Imported late: it uses what install() puts there.
  const { build: buildAll } = await import('./build.mjs')
  if ((await buildAll()) !== 0) fail('The build failed; the compiler says why above.')
}

async function findPrograms() {
  if (!UNPACKED.present()) await unpackValkey()
  if (!UNPACKED.present()) fail(`Not found: ${UNPACKED.name}. To mend it, ${UNPACKED.otherwise}.`)
  const missing = await absent(PROGRAMS)
  if (missing.length === 0) return
  const packages = missing.map((program) => program.debian)
  const services = missing.map((program) => program.service).filter(Boolean)
  console.log(`The tests need ${missing.map((program) => program.name).join(', ')}.`)
  await aptInstall(packages, services)
  const still = await absent(missing)
  if (still.length === 0) return
  fail(
    [
      `Not found: ${still.map((program) => program.name).join('; ')}.`,
      'On Debian or Ubuntu run:',
      `  sudo apt-get update && sudo apt-get install --yes --no-install-recommends ${packages.join(' ')}`,
      ...(services.length === 0
        ? []
        : [
            'Debian starts services of them, which the tests do not need:',
            `  sudo systemctl disable --now ${services.join(' ')}`,
          ]),
      ...still.map((program) => `Elsewhere: ${program.otherwise}.`),
    ].join('\n'),
  )
}

async function absent(programs) {
  const missing = []
  for (const program of programs) if (!(await program.present())) missing.push(program)
  return missing
}

async function aptInstall(packages, services) {
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) return
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  console.log(`Installing ${packages.join(' ')} (apt-get) …`)
  await run('apt-get', ['update', '--quiet'], options)
  await withoutServices(() =>
    run('apt-get', ['install', '--yes', '--quiet', '--no-install-recommends', ...packages], options),
  )
  if (services.length > 0 && existsSync('/run/systemd/system')) {
    await run('systemctl', ['disable', '--quiet', ...services], options)
  }
}

/** Installs packages, and leaves what runs on this machine as it was. */
async function withoutServices(install) {
  const isOurs = writePolicy()
  const remove = () => isOurs && rmSync(POLICY, { force: true })
  const interrupted = () => process.exit(130)
  process.once('exit', remove)
  process.once('SIGINT', interrupted)
  process.once('SIGTERM', interrupted)
  await install()
  remove()
  process.off('exit', remove)
  process.off('SIGINT', interrupted)
  process.off('SIGTERM', interrupted)
}

/** Whether the policy was written; one that is there already is the administrator's. */
function writePolicy() {
  try {
    writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function fail(message) {
  console.error(`\n${message}\n`)
  process.exit(1)
}
