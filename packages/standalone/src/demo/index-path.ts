import { realpath, stat } from 'node:fs/promises'
import { relative, resolve, sep } from 'node:path'

/**
 * The real directory that `path` names below `start`. Throws, with a text for people, when it does not exist, is not a
 * directory, or lies outside `start` once every link on the way to it is resolved.
 */
export async function resolveInside(start: string, path: string): Promise<string> {
  const root = await realpath(start)
  const wanted = resolve(root, path)
  // Asked before the disk is, so that the answer tells nothing of what exists outside.
  if (!isInside(root, wanted)) throw outside(path)
  const real = await realpath(wanted).catch(() => undefined)
  if (real === undefined)
    throw new Error(`${JSON.stringify(path)} does not exist in the directory Holdfast was started in`)
  if (!isInside(root, real)) throw outside(path)
  if (!(await stat(real)).isDirectory()) throw new Error(`${JSON.stringify(path)} is not a directory`)
  return real
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && resolve(root, way) === path)
}

function outside(path: string): Error {
  return new Error(`${JSON.stringify(path)} lies outside the directory Holdfast was started in`)
}
