import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Failure } from './shell.js'

/** Writes files into a folder, which is made where it is missing. Each is there whole or not at all, whatever ends the program. Answers their paths. @throws Failure that names what could not be written. */
export async function writeFiles(
  folder: string,
  files: ReadonlyMap<string, string | Uint8Array>,
  signal: AbortSignal,
): Promise<string[]> {
  const paths: string[] = []
  for (const [name, content] of files) {
    signal.throwIfAborted()
    const path = join(folder, name)
    await writeWhole(path, content)
    paths.push(path)
  }
  return paths
}

/** Writes one file, whole or not at all. @throws Failure that names it. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(draft, content, { flag: 'wx' })
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw new Failure(`cannot write ${path}: ${reasonOf(error)}`)
  }
}

/** Why the system refused, in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EACCES: 'it is not allowed',
    EISDIR: 'it is a folder',
    ENOTDIR: 'part of the path is no folder',
    EEXIST: 'something of that name is in the way',
    ENOSPC: 'the disk is full',
    EROFS: 'the disk is read-only',
  }
  return reasons[code ?? ''] ?? message
}
