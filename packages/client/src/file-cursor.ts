/// <reference types="node" />
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Position } from '@holdfast/protocol'
import { type CursorStore, parsePosition } from './cursor-store.js'

/**
 * Keeps positions in a file, for programs on Node and Bun. The file is read once and replaced as a whole at each save, so that a crash
 * leaves the old one or the new one. One program per file.
 *
 * @throws when the file exists and cannot be read, or cannot be written.
 */
export function fileCursor(path: string): CursorStore {
  const positions = read(path)
  return {
    load: (channel) => positions.get(channel),
    save(channel, position) {
      positions.set(channel, position)
      writeFileSync(`${path}.new`, JSON.stringify(Object.fromEntries(positions)))
      renameSync(`${path}.new`, path)
    },
  }
}

function read(path: string): Map<string, Position> {
  const stored = Object.entries(JSON.parse(readIfThere(path)) as Record<string, unknown>)
  const positions = stored.map(([channel, value]) => [channel, parsePosition(JSON.stringify(value))] as const)
  return new Map(positions.filter((entry): entry is [string, Position] => entry[1] !== undefined))
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return '{}'
    throw error
  }
}
