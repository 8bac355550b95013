import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../clock.js'
import type { Random } from '../../random.js'
import { DirectoryLock } from './directory-lock.js'
import { ignore, type Storage, type StoredFile } from './storage.js'

/** A directory of the file system. What it makes is for its owner only: there are messages in it. */
export class DirectoryStorage implements Storage {
  readonly place: string
  readonly #lock: DirectoryLock

  constructor(directory: string, parts: { readonly clock: Clock; readonly random: Random }) {
    this.place = directory
    this.#lock = new DirectoryLock(directory, parts)
  }

  async claim(): Promise<void> {
    await mkdir(this.place, { recursive: true, mode: 0o700 })
    await this.#lock.take()
  }

  async release(): Promise<void> {
    await this.#lock.release()
  }

  async list(): Promise<readonly string[]> {
    return readdir(this.place)
  }

  async create(name: string): Promise<StoredFile> {
    return new DirectoryFile(await open(join(this.place, name), 'w+', 0o600))
  }

  async open(name: string): Promise<StoredFile | undefined> {
    try {
      return new DirectoryFile(await open(join(this.place, name), 'r+'))
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return undefined
      throw error
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(join(this.place, from), join(this.place, to))
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.place, name), { force: true })
  }

  async syncDirectory(): Promise<void> {
    // Windows has no such thing, and needs none.
    if (process.platform === 'win32') return
    const handle = await open(this.place, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close().catch(ignore)
    }
  }
}

class DirectoryFile implements StoredFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  async read(at: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, length - filled, at + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return buffer.subarray(0, filled)
  }

  async write(bytes: Buffer, at: number): Promise<void> {
    let written = 0
    // A disk that is nearly full takes a part first, and says so only when asked again.
    while (written < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, at + written)
      written += bytesWritten
    }
  }

  async sync(): Promise<void> {
    // The file of a directory that somebody removed still takes everything, and none of it will be found again.
    const [, { nlink }] = await Promise.all([this.#handle.datasync(), this.#handle.stat()])
    if (nlink === 0)
      throw Object.assign(new Error('ENOENT: the file was removed while it was written'), { code: 'ENOENT' })
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}
