import './node-version.mjs'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, runTool } from './tool.mjs'

const packages = join(root, 'packages')

/** What Vite builds: where its configuration is, and a file that is there and new when it has. */
const BUNDLES = [
  { folder: join(packages, 'client'), output: 'dist/progress.bundle.js' },
  { folder: join(packages, 'standalone'), output: 'dist/demo/page/index.html' },
  { folder: join(root, 'apps', 'fill-scheduler'), output: 'dist/web/index.html' },
]

/** Builds every package (incrementally), then the bundles whose sources are newer. Resolves to an exit code. */
export async function build() {
  const compiled = await runTool('typescript', 'tsc', ['-b'])
  if (compiled.code !== 0) return compiled.code
  for (const bundle of BUNDLES) {
    if (!existsSync(join(bundle.folder, 'vite.config.ts')) || isFresh(bundle)) continue
    const bundled = await runTool('vite', 'vite', ['build', '--logLevel', 'warn'], { cwd: bundle.folder })
    if (bundled.code !== 0) return bundled.code
  }
  return 0
}

/** Whether what was built is newer than everything that goes into it. */
function isFresh({ folder, output }) {
  const built = join(folder, output)
  if (!existsSync(built)) return false
  const builtAt = statSync(built).mtimeMs
  const inputs = [
    join(folder, 'vite.config.ts'),
    join(folder, 'src'),
    join(packages, 'client', 'src'),
    join(packages, 'protocol', 'src'),
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
