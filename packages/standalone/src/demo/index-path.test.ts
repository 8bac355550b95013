import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resolveInside } from './index-path.js'

let base: string
let start: string

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-path-')))
  start = join(base, 'start')
  await mkdir(join(start, 'inside/deep'), { recursive: true })
  await mkdir(join(base, 'start-beside'))
  await writeFile(join(start, 'file.txt'), '')
  await symlink(base, join(start, 'out'))
  await symlink(join(start, 'inside'), join(start, 'in'))
})

afterAll(() => rm(base, { recursive: true, force: true }))

describe('the directory to index', () => {
  it('is found below the start directory', async () => {
    expect(await resolveInside(start, 'inside/deep')).toBe(join(start, 'inside/deep'))
    expect(await resolveInside(start, '.')).toBe(start)
    expect(await resolveInside(start, 'in')).toBe(join(start, 'inside'))
  })

  it.each(['..', '../start-beside', '/', '/etc', 'inside/../../start-beside', 'out', 'out/start-beside'])(
    'is refused outside of it: %s',
    async (path) => {
      await expect(resolveInside(start, path)).rejects.toThrow('lies outside')
    },
  )

  it('says what is wrong with a path that is no directory', async () => {
    await expect(resolveInside(start, 'nowhere')).rejects.toThrow('"nowhere" does not exist')
    await expect(resolveInside(start, 'file.txt')).rejects.toThrow('"file.txt" is not a directory')
  })
})
