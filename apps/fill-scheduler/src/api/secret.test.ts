import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keptSecret } from './secret.js'

describe('the secret of a server', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fill-secret-'))
  })

  afterEach(() => rm(folder, { recursive: true }))

  it('is made once, whole and for nobody else, also by several at the same time', async () => {
    const secrets = await Promise.all(Array.from({ length: 8 }, () => keptSecret(folder)))
    expect(new Set([...secrets, await keptSecret(folder)]).size).toBe(1)
    expect(await readdir(folder)).toEqual(['secret'])
    expect(await readFile(join(folder, 'secret'), 'utf8')).toBe(secrets[0])
    expect((await stat(join(folder, 'secret'))).mode & 0o777).toBe(0o600)
  })

  it('is refused where somebody has written one that is too short', async () => {
    await writeFile(join(folder, 'secret'), 'short\n')
    await expect(keptSecret(folder)).rejects.toThrow('must hold a secret of 32 characters or more')
  })
})
