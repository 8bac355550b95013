import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
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
    await makeFolder(dirname(path))
    await writeFile(draft, content, { flag: 'wx' })
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw new Failure(`cannot write ${path}: ${reasonOf(error)}`)
  }
}

/** What `mkdir` does with `recursive`, which never ends on Node 20 where a file system, such as /proc or that of an automounter, says ENOENT of what it does not let anybody make. */
async function makeFolder(path: string): Promise<void> {
  if (await isThere(path)) return
  if (dirname(path) !== path) await makeFolder(dirname(path))
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

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
