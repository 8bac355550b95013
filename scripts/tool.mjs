import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/**
 * Runs a program to its end, without a shell, its output going to ours.
 * Resolves to `{ code, durationMs }`; a program that cannot be started, or that a signal ended, has code 1.
 */
export function run(program, args, options = {}) {
  const startedAt = performance.now()
  const { promise, settle } = deferred()
  const finish = (code) => settle({ code: code ?? 1, durationMs: performance.now() - startedAt })
  const child = spawn(program, args, { cwd: root, stdio: 'inherit', ...options })
  child.once('error', (error) => {
    console.error(`${program} could not be started: ${error.message}`)
    finish(1)
  })
  child.once('exit', (code) => finish(code))
  return promise
}

/** Runs the command `name` of an installed package by its script, which needs neither a shell nor a search path. */
export function runTool(packageName, name, args, options = {}) {
  return run(process.execPath, [binOf(packageName, name), ...args], options)
}

function binOf(packageName, name) {
  const folder = join(root, 'node_modules', packageName)
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return join(folder, typeof bin === 'string' ? bin : bin[name])
}

function deferred() {
  let settle
  const promise = new Promise((done) => {
    settle = done
  })
  return { promise, settle }
}
