import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './tool.mjs'

// Valkey is in Debian since 13, and for 12 in its backports. It is unpacked beside the tests rather than installed: it would
// bring a service of its own, and the backports into the machine's sources.

/** Where it is unpacked. */
const FOLDER = join(root, 'tmp', 'programs', 'valkey')

const SERVER = join(FOLDER, 'usr', 'bin', 'valkey-server')

/** Whether the tests find a Valkey: one that is installed, or the one that was unpacked. */
export function hasValkey() {
  return existsSync('/usr/bin/valkey-server') || existsSync(SERVER)
}

/** Unpacks Valkey from Debian's packages, where apt is; whoever asks `hasValkey` then knows whether it worked. */
export async function unpackValkey() {
  if (!existsSync('/usr/bin/apt-get')) return
  console.log('Unpacking Valkey (apt-get download) …')
  const work = join(root, 'tmp', 'valkey-packages')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(join(work, 'lists', 'partial'), { recursive: true })
  writeFileSync(join(work, 'sources.list'), sources())
  const apt = (...args) => run('apt-get', ['--quiet', ...isolated(work), ...args], { cwd: work, stdio: 'ignore' })
  await apt('update')
  await apt('download', 'valkey-server', 'valkey-tools')
  mkdirSync(FOLDER, { recursive: true })
  for (const file of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
    await run('dpkg-deb', ['--extract', join(work, file), FOLDER])
  }
  rmSync(work, { recursive: true, force: true })
}

/** Lists of its own, so that the machine's are left as they are. */
function isolated(work) {
  return [
    `-oDir::Etc::sourcelist=${join(work, 'sources.list')}`,
    '-oDir::Etc::sourceparts=-',
    `-oDir::State::lists=${join(work, 'lists')}`,
    '-oAPT::Sandbox::User=root',
  ]
}

/** The machine's own mirror of Debian, with the release and its backports. */
function sources() {
  const release = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable'
  const mirror = configuredMirror()
  return [release, `${release}-backports`].map((suite) => `deb ${mirror} ${suite} main\n`).join('')
}

function configuredMirror() {
  const folder = '/etc/apt/sources.list.d'
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
  ]
  const lines = files.filter((file) => existsSync(file)).flatMap((file) => readFileSync(file, 'utf8').split('\n'))
  const addresses = lines.map((line) => /^(?:URIs:|deb(?: \[[^\]]*\])?)\s+(\S+\/debian)\/?(?:\s|$)/.exec(line)?.[1])
  return addresses.find((address) => address !== undefined) ?? ''
}
