import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileCursor } from '@holdfast/client/file-cursor'
import { afterAll, expect, it, vi } from 'vitest'
import { localStorageCursor, memoryCursor, parsePosition } from './cursor-store.js'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-cursor-'))
afterAll(() => rmSync(folder, { recursive: true }))

const position = { epoch: 'e1', offset: 7, id: 'm7' }

it('keeps positions in memory', () => {
  const store = memoryCursor()
  void store.save('room:1', position)
  expect([store.load('room:1'), store.load('room:2')]).toEqual([position, undefined])
})

it('keeps positions in a file, whole at every moment', () => {
  const path = join(folder, 'positions.json')
  const store = fileCursor(path)
  void store.save('room:1', { epoch: 'e1', offset: 1 })
  void store.save('room:1', position)
  expect(readdirSync(folder)).toEqual(['positions.json'])
  expect(fileCursor(path).load('room:1')).toEqual(position)
})

it('does not take a damaged file for an empty one', () => {
  const path = join(folder, 'damaged.json')
  writeFileSync(path, '{"room:1"')
  expect(() => fileCursor(path)).toThrow()
})

it('keeps positions in the storage of a browser, under its prefix', () => {
  const stored = new Map<string, string>()
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => stored.set(key, value),
  })
  const store = localStorageCursor('app:')
  void store.save('room:1', position)
  expect([...stored.keys()]).toEqual(['app:room:1'])
  expect([store.load('room:1'), store.load('room:2')]).toEqual([position, undefined])
  vi.unstubAllGlobals()
})

it.each([null, '', '{', 'null', '1', '{"epoch":1,"offset":1}', '{"epoch":"e","offset":"1"}'])(
  'takes %j for no position',
  (text) => expect(parsePosition(text)).toBeUndefined(),
)
