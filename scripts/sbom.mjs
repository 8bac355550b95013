// Prints the bill of materials of the lock file: CycloneDX, every package of every platform, without network. Kept beside a release and compared with the next.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const read = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'))

const manifest = read(ROOT, 'package.json')
const lock = read(ROOT, 'package-lock.json')
const { version } = read(ROOT, 'packages', 'standalone', 'package.json')
const folder = mkdtempSync(join(tmpdir(), 'holdfast-sbom-'))
try {
  // npm names what the bill is of by name and version; the workspace has none, and gets that of its packages.
  const write = (name, content) => writeFileSync(join(folder, name), JSON.stringify(content))
  write('package.json', { ...manifest, version })
  const root = { ...lock.packages[''], version }
  write('package-lock.json', { ...lock, version, packages: { ...lock.packages, '': root } })
  for (const workspace of manifest.workspaces)
    cpSync(join(ROOT, workspace, 'package.json'), join(folder, workspace, 'package.json'))
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--offline']
  const output = execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 67_108_864 })
  process.stdout.write(output)
} finally {
  rmSync(folder, { recursive: true })
}
