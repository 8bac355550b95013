import { readFileSync } from 'node:fs'
import { expect } from 'vitest'

// Runs before each test file. Where `HOLDFAST_TEST_SEED` is set, properties make the same choices every time; where it is not, each run looks somewhere else.

const seed = process.env['HOLDFAST_TEST_SEED']
const { testPath } = expect.getState()

// Loading the library costs more than most files take, so only those that use it do.
if (seed !== undefined && testPath !== undefined && readFileSync(testPath, 'utf8').includes("'fast-check'")) {
  const { configureGlobal } = await import('fast-check')
  configureGlobal({ seed: Number(seed) >>> 0 })
}
