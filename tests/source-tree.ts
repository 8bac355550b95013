import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const ROOT: string = fileURLToPath(new URL('..', import.meta.url))

const NOT_OURS = new Set(['node_modules', 'dist', 'tmp', '.git', '.holdfast', 'coverage', 'results'])

/** A file of the repository: its path from the root, with `/`, and its text. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** Every file under `folder` whose name ends with one of `endings`, by path; what is installed, built or generated left out. */
export function filesUnder(folder: string, ...endings: string[]): SourceFile[] {
  return walk(folder)
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

function walk(folder: string): string[] {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true }).filter(({ name }) => !NOT_OURS.has(name))
  return entries
    .toSorted((one, other) => one.name.localeCompare(other.name))
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name)
      if (entry.isDirectory()) return walk(path)
      return entry.isFile() ? [path] : []
    })
}

/** Whether a path from the root exists. */
export function exists(path: string): boolean {
  return statSync(join(ROOT, path), { throwIfNoEntry: false }) !== undefined
}

/** The text without its comments; lengths and line breaks change. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

/** The module names that a file imports or re-exports, statically or not. */
export function importsOf(file: SourceFile): string[] {
  const pattern = /(?:\bfrom\s+|\bimport\s+|\bimport\(\s*)'([^']+)'/g
  return Array.from(withoutComments(file.text).matchAll(pattern), (match) => match[1] ?? '')
}
