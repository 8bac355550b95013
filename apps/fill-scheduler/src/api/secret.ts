import { randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What tokens are signed with where nobody says it: made once, and kept in the folder of data for its owner alone. */
export async function keptSecret(dataDir: string): Promise<string> {
  const file = join(dataDir, 'secret')
  const secret = (await read(file)) ?? (await made(file))
  if (secret.length >= 32) return secret
  throw new Error(`${file} must hold a secret of 32 characters or more; delete it to have another one made`)
}

async function read(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** It has its name only once it is whole: a server that dies meanwhile leaves none. Of two that make one, the first counts. */
async function made(file: string): Promise<string> {
  const unnamed = `${file}.${randomBytes(6).toString('hex')}`
  try {
    await writeFile(unnamed, randomBytes(48).toString('base64'), { mode: 0o600, flag: 'wx', flush: true })
    await link(unnamed, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(unnamed, { force: true })
  }
  return (await readFile(file, 'utf8')).trim()
}
