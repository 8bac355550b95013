import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'
import { ROOT } from '../../source-tree.js'

/** The programs that tests run as processes of their own. */
export type ProgramName = 'node-main' | 'client-main'

const bundles = new Map<ProgramName, Promise<string>>()

/** As in the configuration of the tests: programs are made of the packages' sources, so that nothing has to be built first. */
const conditions = ['@holdfast/source', 'node', 'import', 'default']

/** The path of a program, bundled from its sources once for this process and removed when it ends. */
export function programFile(name: ProgramName): Promise<string> {
  const bundle = bundles.get(name) ?? bundleProgram(name)
  bundles.set(name, bundle)
  return bundle
}

async function bundleProgram(name: ProgramName): Promise<string> {
  // Inside the repository, so that the program finds the packages that are installed.
  const parent = join(ROOT, 'tmp', 'programs')
  mkdirSync(parent, { recursive: true })
  removeLeftovers(parent)
  const outDir = mkdtempSync(join(parent, `${name}.${process.pid}.`))
  process.once('exit', () => rmSync(outDir, { recursive: true, force: true }))
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'warn',
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    build: {
      ssr: join(ROOT, 'tests', 'cluster', 'kit', `${name}.ts`),
      outDir,
      target: 'node20',
      sourcemap: true,
      emptyOutDir: false,
      rolldownOptions: { output: { entryFileNames: 'main.js' } },
    },
  })
  return join(outDir, 'main.js')
}

/** Bundles of processes that were killed before they could remove them. */
function removeLeftovers(parent: string): void {
  for (const folder of readdirSync(parent)) {
    const pid = /^[a-z-]+\.(\d+)\.\w+$/.exec(folder)?.[1]
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(parent, folder), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
