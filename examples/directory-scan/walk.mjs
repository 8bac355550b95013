import { lstat, opendir } from 'node:fs/promises'
import { join, relative } from 'node:path'

/**
 * The files below a directory, each with its path and size. Symbolic links are not followed, so that it ends and stays inside. What cannot be read is
 * told to `onWarning` and left out; only the directory itself must be readable.
 */
export async function* filesBelow(root, { signal, onWarning }) {
  const waiting = [root]
  while (waiting.length > 0) {
    const directory = waiting.pop()
    const entries = await opendir(directory).catch((error) => {
      if (directory === root) throw error
      onWarning(`${relative(root, directory)}: ${error.code ?? error.message}`)
    })
    for await (const entry of entries ?? []) {
      signal.throwIfAborted()
      const path = join(directory, entry.name)
      if (entry.isDirectory()) waiting.push(path)
      else if (entry.isFile()) yield relative(root, path)
    }
  }
}

/** The bytes of a file; undefined, and a warning, for one that is gone or closed to us. */
export async function sizeOf(root, path, onWarning) {
  try {
    const { size } = await lstat(join(root, path))
    return size
  } catch (error) {
    onWarning(`${path}: ${error.code ?? error.message}`)
    return undefined
  }
}
