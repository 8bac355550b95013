import './node-version.mjs'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { build } from './build.mjs'
import { root, runTool } from './tool.mjs'

// Everything that must hold before a change goes in, in the order of what it costs. A failing step does not stop the
// later ones, so that one run shows everything there is to mend.

const report = join(root, 'tmp', 'vitest.json')

// oxlint takes CI for a terminal with colours, whatever NO_COLOR says; its format `unix` has none.
const isPlain = process.env.CI === 'true'
if (isPlain) process.env.NO_COLOR = '1'

// What is checked is the same each time; `npx vitest` without a seed looks elsewhere each time.
process.env.HOLDFAST_TEST_SEED ??= '20250101'

const STEPS = [
  ['format', () => runTool('oxfmt', 'oxfmt', ['--check', '.'])],
  ['build', () => timed(build)],
  [
    'lint',
    () => runTool('oxlint', 'oxlint', ['--type-aware', '--deny-warnings', ...(isPlain ? ['--format=unix'] : [])]),
  ],
  ['unused', () => runTool('knip', 'knip', ['--no-progress'])],
  ['types', () => runTool('typescript', 'tsc', ['-p', 'tsconfig.test.json'])],
  ['tests', runTests],
]

process.exitCode = await main()

async function main() {
  const results = []
  for (const [name, step] of STEPS) {
    console.log(`\n── ${name}`)
    results.push({ name, ...(await step()) })
  }
  const { passed, failed } = countTests(results.at(-1).code)
  console.log(failures().join('\n'))
  console.log(`\n${results.map(line).join('\n')}\n`)
  console.log(`${passed} passed, ${failed} failed`)
  return results.some((result) => result.code !== 0) ? 1 : 0
}

function line({ name, code, durationMs }) {
  return `${code === 0 ? 'ok  ' : 'FAIL'}  ${name.padEnd(8)}${(durationMs / 1000).toFixed(1).padStart(7)} s`
}

async function timed(work) {
  const startedAt = performance.now()
  const code = await work()
  return { code, durationMs: performance.now() - startedAt }
}

function runTests() {
  mkdirSync(join(root, 'tmp'), { recursive: true })
  rmSync(report, { force: true })
  return runTool('vitest', 'vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`])
}

/** The tests that passed and failed. A file that did not load, and a run that ended without a report, count as one failure. */
function countTests(code) {
  const { numPassedTests = 0, numFailedTests = 0, testResults = [] } = readReport()
  const unloaded = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
  const failed = numFailedTests + unloaded
  return { passed: numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed }
}

/** What failed, once more and last, where nobody has to look for it: file, title, and the first lines of the error. */
function failures() {
  const { testResults = [] } = readReport()
  return testResults.flatMap(({ name, message, assertionResults, status }) => {
    const file = relative(root, name)
    if (status === 'failed' && assertionResults.length === 0) return [`\nFAILED ${file}\n${firstLines(message)}`]
    const failed = assertionResults.filter((test) => test.status === 'failed')
    return failed.map((test) => `\nFAILED ${file}: ${test.fullName}\n${firstLines(test.failureMessages.join('\n'))}`)
  })
}

function firstLines(text = '') {
  return text.split('\n').slice(0, 12).join('\n')
}

function readReport() {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return {}
  }
}
