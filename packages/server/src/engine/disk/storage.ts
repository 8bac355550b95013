/** An open file of a `Storage`. Every method rejects with the system's error, its `code` included. */
export interface StoredFile {
  /** Bytes it holds. */
  size(): Promise<number>
  /** The bytes from `at` on: `length` of them, or fewer where the file ends. */
  read(at: number, length: number): Promise<Buffer>
  /** Writes all of `bytes`, or rejects; then any part of them may be there. */
  write(bytes: Buffer, at: number): Promise<void>
  /** Once it resolves, everything written is on the disk, and the file was still in its directory. */
  sync(): Promise<void>
  close(): Promise<void>
}

/**
 * The port to the directory that the engine keeps its files in. Nothing here blocks the event loop. What is created, renamed or removed is sure to have
 * happened only after `syncDirectory`.
 */
export interface Storage {
  /** Where it is, for people. */
  readonly place: string
  /** Makes the directory if there is none, and keeps others out of it until `release`; may be called again. Rejects with an error that names who is in it. */
  claim(): Promise<void>
  release(): Promise<void>
  /** The names of all files. */
  list(): Promise<readonly string[]>
  /** A new, empty file; one that was there under this name goes. */
  create(name: string): Promise<StoredFile>
  /** A file to be read and overwritten; undefined when there is none. */
  open(name: string): Promise<StoredFile | undefined>
  /** Replaces whatever is at `to`. */
  rename(from: string, to: string): Promise<void>
  /** Does nothing when there is none. */
  remove(name: string): Promise<void>
  syncDirectory(): Promise<void>
}

/** Writes a file that is there as a whole or not at all: under another name first, which is taken away once it is on the disk. */
export async function createWhole(
  storage: Storage,
  name: string,
  fill: (file: StoredFile) => Promise<void>,
): Promise<StoredFile> {
  const draft = `${name}${DRAFT_ENDING}`
  const file = await storage.create(draft)
  try {
    await fill(file)
    await file.sync()
    await storage.rename(draft, name)
    await storage.syncDirectory()
    return file
  } catch (error) {
    await file.close().catch(ignore)
    await storage.remove(draft).catch(ignore)
    throw error
  }
}

/** How the name of a file ends that was not finished. */
export const DRAFT_ENDING = '.draft'

/** For what is tried and does not matter: the error that made it necessary is the one to tell. */
export function ignore(): void {}
