import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { machineTime } from '../../../../tests/kit/machine-time.js'
import { systemClock } from '../clock.js'
import { type IndexOptions, indexDirectory } from './directory-index.js'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-index-'))
})

afterEach(() => rm(root, { recursive: true, force: true }))

async function plant(files: Record<string, string | Buffer>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true })
    await writeFile(join(root, path), content)
  }
}

function options(extra: Partial<IndexOptions> = {}): IndexOptions & { phases: string[]; items: string[] } {
  const phases: string[] = []
  const items: string[] = []
  return {
    clock: systemClock,
    signal: new AbortController().signal,
    observer: {
      phase: (name, total) => phases.push(total === undefined ? name : `${name} ${total}`),
      advance: (item) => items.push(item),
    },
    phases,
    items,
    ...extra,
  }
}

describe('directory index', () => {
  it('counts files, bytes and lines of a whole tree', async () => {
    await plant({ 'a.ts': 'one\ntwo\n', 'b/c.ts': 'three', 'b/d/README': '', 'e.bin': Buffer.from([1, 0, 10, 10]) })
    const summary = await indexDirectory(root, options())
    expect(summary).toMatchObject({ files: 4, directories: 3, bytes: 17, lines: 3, links: 0, unreadable: 0 })
    expect(summary.extensions).toEqual([
      { extension: '.ts', files: 2, bytes: 13, lines: 3 },
      { extension: '.bin', files: 1, bytes: 4, lines: 0 },
      { extension: '(none)', files: 1, bytes: 0, lines: 0 },
    ])
  })

  it('names the ten largest files, largest first, and folds rare extensions into one', async () => {
    await plant(Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`f${n}.x${n}`, 'y'.repeat(n + 1)])))
    const { largest, extensions } = await indexDirectory(root, options())
    expect(largest.map((file) => file.bytes)).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6])
    expect(largest[0]?.path).toBe('f14.x14')
    expect(extensions).toHaveLength(13)
    expect(extensions.at(-1)).toEqual({ extension: '(others)', files: 3, bytes: 6, lines: 3 })
  })

  it('reads files longer than one chunk to their end', async () => {
    await plant({ 'long.txt': 'line\n'.repeat(50_000) })
    expect(await indexDirectory(root, options())).toMatchObject({ bytes: 250_000, lines: 50_000 })
  })

  it('never follows a symbolic link', async () => {
    await plant({ 'a.txt': 'a' })
    await symlink('/etc', join(root, 'etc'))
    await symlink(root, join(root, 'loop'))
    await symlink(join(root, 'a.txt'), join(root, 'b.txt'))
    expect(await indexDirectory(root, options())).toMatchObject({ files: 1, links: 3, bytes: 1 })
  })

  it('reports every phase and every file', async () => {
    await plant({ 'a.txt': 'a', 'b/c.txt': 'c' })
    const watched = options()
    await indexDirectory(root, watched)
    expect(watched.phases).toEqual(['Listing', 'Reading 2', 'Summarising 2'])
    expect(watched.items.filter((item) => item === 'a.txt')).toHaveLength(3)
    expect(watched.items).toHaveLength(6)
  })

  it('stops within 100 ms of an abort, while it waits for its pace', async () => {
    await plant({ 'a.txt': 'a', 'b.txt': 'b', 'c.txt': 'c' })
    const abort = new AbortController()
    const read = options({ signal: abort.signal, filesPerSecond: 0.01 })
    const index = indexDirectory(root, read)
    index.catch(() => {})
    await expect.poll(() => read.phases).toContain('Reading 3')
    const abortedAt = machineTime()
    abort.abort(new Error('cancelled'))
    await expect(index).rejects.toThrow('cancelled')
    expect(machineTime() - abortedAt).toBeLessThan(100)
  })

  it('reads no faster than it is told to', async () => {
    await plant(Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`${n}.txt`, ''])))
    const startedAt = performance.now()
    await indexDirectory(root, options({ filesPerSecond: 100 }))
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(195)
  })

  it('is refused for a directory that does not exist', async () => {
    await expect(indexDirectory(join(root, 'nowhere'), options())).rejects.toThrow('ENOENT')
  })
})
