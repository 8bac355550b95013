import './node-version.mjs'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './tool.mjs'

// A slow search, not a part of the checks: takes one line at a time out of the code that recovers a subscription, or a channel, in a clone,
// and runs the tests of that code. A line that no test misses is printed, and the exit code is 1.

const CORE = 'packages/server/src/core/channels'
const SOURCES = ['recovery.ts', 'gate.ts', 'subscription.ts', 'join.ts', 'continuity.ts', 'catch-up.ts']
const TESTS = ['recovery', 'gate', 'subscription', 'continuity', 'topic'].map((name) => `${name}.test.ts`)

/** Lines that open or close a block, declare a type or a field, or are no code: taking one out breaks the syntax or nothing. */
const NOT_A_STATEMENT =
  /^$|^[/*}\])]|^(import|export|readonly|async|constructor|get|type|interface) ?|[{([]$|^#?\w+(\(.*\))?\??: [^=]*,?$|^#\w+( = .*)?$|^index = /

const clone = mkdtempSync(join(tmpdir(), 'remove-lines-'))
try {
  process.exitCode = main()
} finally {
  rmSync(clone, { recursive: true, force: true })
}

function main() {
  const cloned = spawnSync('git', ['clone', '--quiet', root, clone])
  if (cloned.status !== 0) throw new Error(`git clone failed: ${cloned.stderr}`)
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'))
  if (!testsPass()) throw new Error('the tests must pass before lines are removed')
  const survivors = SOURCES.flatMap(survivorsOf)
  console.log(survivors.length === 0 ? 'every removal was noticed' : `${survivors.length} removals were not noticed`)
  return survivors.length === 0 ? 0 : 1
}

function survivorsOf(name) {
  const path = join(clone, CORE, name)
  const lines = readFileSync(path, 'utf8').split('\n')
  const survivors = []
  lines.forEach((line, index) => {
    if (NOT_A_STATEMENT.test(line.trim())) return
    writeFileSync(path, lines.toSpliced(index, 1).join('\n'))
    const survived = testsPass()
    console.log(`${survived ? 'SURVIVED' : 'noticed '}  ${name}:${index + 1}  ${line.trim()}`)
    if (survived) survivors.push(`${name}:${index + 1}`)
  })
  writeFileSync(path, lines.join('\n'))
  return survivors
}

function testsPass() {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const tests = TESTS.map((name) => `${CORE}/${name}`)
  const run = spawnSync(process.execPath, [vitest, 'run', '--bail', '1', ...tests], { cwd: clone, timeout: 60_000 })
  return run.status === 0
}
