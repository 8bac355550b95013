import { readFile, stat } from 'node:fs/promises'
import { reasonOf } from './output-files.js'
import { Failure } from './shell.js'

/** Larger files are no lists of lots. */
const BYTES_MAX = 50 * 1024 * 1024

/** The bytes of a file that `option` names. @throws Failure that names both. */
export async function readInput(path: string, option: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path)
    if (size > BYTES_MAX) throw new Failure(`${path} (${option}) must have at most ${BYTES_MAX} bytes, it has ${size}`)
    return await readFile(path)
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(`cannot read ${path} (${option}): ${reasonOf(error)}`)
  }
}
