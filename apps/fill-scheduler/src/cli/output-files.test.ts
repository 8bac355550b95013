import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeFiles, writeWhole } from './output-files.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'output-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('files of output', () => {
  it('are written into a folder that is made, over what was there', async () => {
    await mkdir(join(folder, 'plan'))
    await writeFile(join(folder, 'plan', 'a.txt'), 'old and longer')
    const files = new Map([
      ['a.txt', 'new'],
      ['b.txt', 'b'],
    ])
    const paths = await writeFiles(join(folder, 'plan'), files, new AbortController().signal)
    expect(paths).toEqual([join(folder, 'plan', 'a.txt'), join(folder, 'plan', 'b.txt')])
    expect(await readFile(join(folder, 'plan', 'a.txt'), 'utf8')).toBe('new')
    expect((await readdir(join(folder, 'plan'))).sort()).toEqual(['a.txt', 'b.txt'])
  })

  it('are no longer written once somebody interrupts', async () => {
    const files = new Map([['never.txt', 'x']])
    await expect(writeFiles(join(folder, 'none'), files, AbortSignal.abort(new Error('enough')))).rejects.toThrow(
      'enough',
    )
    expect(await readdir(folder)).not.toContain('none')
  })

  it('leave no draft behind where they cannot be written', async () => {
    await mkdir(join(folder, 'taken', 'name'), { recursive: true })
    await expect(writeWhole(join(folder, 'taken', 'name'), 'x')).rejects.toThrow(/cannot write .*name: it is a folder/)
    expect(await readdir(join(folder, 'taken'))).toEqual(['name'])
  })

  it('are refused where no folder can be made, and made in folders of folders', async () => {
    await expect(writeWhole('/proc/nowhere/plan/a.txt', 'x')).rejects.toThrow(/cannot write .*a\.txt/)
    await writeFile(join(folder, 'file'), '')
    await expect(writeWhole(join(folder, 'file', 'plan', 'a.txt'), 'x')).rejects.toThrow(
      /part of the path is no folder/,
    )
    const deep = ['one', 'two'].map((name) => join(folder, 'new', 'deep', name, 'a.txt'))
    await Promise.all(deep.map((path) => writeWhole(path, path)))
    expect(await Promise.all(deep.map((path) => readFile(path, 'utf8')))).toEqual(deep)
  })
})
