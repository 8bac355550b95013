import { constants } from 'node:fs'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import { type Clock, pause } from '../clock.js'
import { type FileRecord, type INDEX_PHASES, type IndexSummary, summarise } from './index-summary.js'

/** Files beyond which an index is refused: what is kept per file must stay bounded. */
export const INDEX_FILES_MAX = 200_000
const DEPTH_MAX = 64
const READERS = 8
const CHUNK_BYTES = 64 * 1024
/** A file with a zero byte at its beginning is not text, and its lines are not counted. */
const BINARY_PROBE_BYTES = 8 * 1024

/** Learns how far an index is. */
export interface IndexObserver {
  /** A step begins; `total` is known from `Reading` on. */
  phase(name: (typeof INDEX_PHASES)[number], total?: number): void
  /** One more file was found, read or summed up. */
  advance(item: string): void
}

/** How an index is made. */
export interface IndexOptions {
  readonly clock: Clock
  /** Ends the index at the next file or the next 64 KiB, whichever comes first; the promise rejects with its reason. */
  readonly signal: AbortSignal
  readonly observer: IndexObserver
  /** Files read per second, at most; absent for as fast as the disk gives. */
  readonly filesPerSecond?: number
}

/**
 * Indexes the directory tree at `root`: lists it, reads every file, sums up. Symbolic links are counted and never
 * followed; what may not be read is counted too. Throws when the tree holds more than `INDEX_FILES_MAX` files or `root`
 * is not a directory.
 */
export async function indexDirectory(root: string, options: IndexOptions): Promise<IndexSummary> {
  options.observer.phase('Listing')
  const listing = await list(root, options)
  options.observer.phase('Reading', listing.files.length)
  const records = await readAll(root, listing.files, options)
  options.observer.phase('Summarising', records.length)
  return summarise(records, listing, (path) => options.observer.advance(path))
}

interface Listing {
  readonly files: string[]
  directories: number
  links: number
  unreadable: number
}

async function list(root: string, options: IndexOptions): Promise<Listing> {
  const listing: Listing = { files: [], directories: 0, links: 0, unreadable: 0 }
  await listInto(listing, root, '', 0, options)
  return listing
}

async function listInto(
  listing: Listing,
  root: string,
  path: string,
  depth: number,
  options: IndexOptions,
): Promise<void> {
  options.signal.throwIfAborted()
  const entries = await readdir(join(root, path), { withFileTypes: true }).catch((error: unknown) => {
    // The root must be readable; a directory inside may be closed to us, or be gone by now.
    if (depth === 0) throw error
    listing.unreadable += 1
    return []
  })
  listing.directories += 1
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const below = path === '' ? entry.name : path + sep + entry.name
    if (entry.isSymbolicLink()) listing.links += 1
    else if (entry.isFile()) addFile(listing, below, options.observer)
    else if (entry.isDirectory() && depth < DEPTH_MAX) await listInto(listing, root, below, depth + 1, options)
  }
}

function addFile(listing: Listing, path: string, observer: IndexObserver): void {
  if (listing.files.length >= INDEX_FILES_MAX) {
    throw new Error(`The directory holds more than ${INDEX_FILES_MAX} files; choose a smaller one`)
  }
  listing.files.push(path)
  observer.advance(path)
}

/** Reads all files with a fixed number of readers; the first failure stops them all. */
async function readAll(root: string, files: readonly string[], options: IndexOptions): Promise<FileRecord[]> {
  const records: FileRecord[] = []
  const startedAt = options.clock.now()
  let next = 0
  let failed = false
  const reader = async (): Promise<void> => {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
    while (next < files.length && !failed) {
      const index = next++
      const path = files[index]!
      await keepPace(startedAt, index, options)
      records.push(await readFile(root, path, buffer, options.signal))
      options.observer.advance(path)
    }
  }
  const guarded = (): Promise<void> =>
    reader().catch((error: unknown) => {
      failed = true
      throw error
    })
  await Promise.all(Array.from({ length: READERS }, guarded))
  return records
}

async function keepPace(
  startedAt: number,
  index: number,
  { clock, signal, filesPerSecond }: IndexOptions,
): Promise<void> {
  signal.throwIfAborted()
  if (filesPerSecond === undefined) return
  const early = startedAt + (index * 1000) / filesPerSecond - clock.now()
  if (early > 1) await pause(clock, early, signal)
}

async function readFile(root: string, path: string, buffer: Buffer, signal: AbortSignal): Promise<FileRecord> {
  const record: FileRecord = { path, extension: extname(path).toLowerCase(), bytes: 0, lines: 0, readable: true }
  // Between listing and reading a file may have become a link to somewhere else.
  const file = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  )
  if (file === undefined) return { ...record, readable: false }
  try {
    return { ...record, ...(await measure(file, buffer, signal)) }
  } finally {
    await file.close()
  }
}

async function measure(
  file: FileHandle,
  buffer: Buffer,
  signal: AbortSignal,
): Promise<{ bytes: number; lines: number }> {
  let bytes = 0
  let newlines = 0
  let binary = false
  let last = 10
  for (;;) {
    signal.throwIfAborted()
    const { bytesRead } = await file.read(buffer, 0, buffer.length)
    if (bytesRead === 0) break
    const chunk = buffer.subarray(0, bytesRead)
    if (bytes === 0) binary = chunk.subarray(0, BINARY_PROBE_BYTES).includes(0)
    if (!binary) newlines += countNewlines(chunk)
    bytes += bytesRead
    last = chunk[bytesRead - 1]!
  }
  // A last line without a newline is a line as well.
  return { bytes, lines: binary ? 0 : newlines + (last === 10 ? 0 : 1) }
}

function countNewlines(chunk: Buffer): number {
  let count = 0
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count += 1
  return count
}
