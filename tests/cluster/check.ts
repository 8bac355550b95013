import { check, describe } from './kit/checker/checker.js'
import { readHistory } from './kit/history.js'

/** Judges the history in a file and prints what it amounts to. Answers the exit code: 0 when nothing is wrong with it. */
export function main([file]: readonly string[]): number {
  if (file === undefined) {
    console.error('usage: node tests/cluster/run.mjs check HISTORY.jsonl')
    return 2
  }
  const verdict = check((...kinds) => readHistory(file, ...kinds))
  process.stdout.write(`${describe(verdict)}\n`)
  return verdict.violationCount === 0 ? 0 : 1
}
