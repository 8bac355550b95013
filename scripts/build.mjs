import './node-version.mjs'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, runTool } from './tool.mjs'

const standalone = join(root, 'packages', 'standalone')
const page = join(standalone, 'dist', 'demo', 'page', 'index.html')

/** Builds every package (incrementally), then the pages if their sources are newer. Resolves to an exit code. */
export async function build() {
  const compiled = await runTool('typescript', 'tsc', ['-b'])
  if (compiled.code !== 0) return compiled.code
  if (!existsSync(join(standalone, 'vite.config.ts')) || isFresh()) return 0
  const bundled = await runTool('vite', 'vite', ['build', '--logLevel', 'warn'], { cwd: standalone })
  return bundled.code
}

/** Whether the built page is newer than everything that goes into it. */
function isFresh() {
  if (!existsSync(page)) return false
  const builtAt = statSync(page).mtimeMs
  const inputs = [
    join(standalone, 'vite.config.ts'),
    join(standalone, 'src'),
    join(root, 'packages', 'client', 'src'),
    join(root, 'packages', 'protocol', 'src'),
  ]
  return inputs.every((path) => newest(path) <= builtAt)
}

function newest(path) {
  if (!existsSync(path)) return 0
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = await build()
