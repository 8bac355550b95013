import type { Storage, StoredFile } from './storage.js'

const SECTOR_BYTES = 512

/** What is about to be done to a simulated storage. */
export interface StorageOperation {
  readonly kind:
    | 'claim'
    | 'list'
    | 'create'
    | 'open'
    | 'read'
    | 'write'
    | 'sync'
    | 'rename'
    | 'remove'
    | 'syncDirectory'
  readonly name: string
}

/** Why an operation fails; of a write, the first `taken` bytes are stored all the same. */
export interface StorageFault {
  readonly error: Error
  readonly taken?: number
}

/** Asked before each operation: it may answer a fault, and take its time. */
export type BeforeOperation = (
  operation: StorageOperation,
) => StorageFault | undefined | Promise<StorageFault | undefined>

interface Content {
  /** What a reader sees now. */
  live: Buffer
  /** What is on the disk, and what was written since, in order. */
  durable: Buffer
  unsynced: { readonly at: number; readonly bytes: Buffer }[]
}

/** A file system in memory that can fail, be killed and lose power, so that a test owns the disk. */
export class SimulatedStorage implements Storage {
  readonly place = 'simulated'
  /** Asked before each operation. */
  before: BeforeOperation
  readonly #names: Map<string, Content>
  readonly #durableNames: Map<string, Content>
  #unsyncedNames: ((names: Map<string, Content>) => void)[] = []

  constructor(before: BeforeOperation = () => undefined, names: ReadonlyMap<string, Content> = new Map()) {
    this.before = before
    this.#names = new Map(names)
    this.#durableNames = new Map(names)
  }

  async claim(): Promise<void> {
    await this.#ask('claim')
  }

  async release(): Promise<void> {}

  async list(): Promise<readonly string[]> {
    await this.#ask('list')
    return [...this.#names.keys()]
  }

  async create(name: string): Promise<StoredFile> {
    await this.#ask('create', name)
    const content: Content = { live: Buffer.alloc(0), durable: Buffer.alloc(0), unsynced: [] }
    this.#change((names) => names.set(name, content))
    return this.#file(name, content)
  }

  async open(name: string): Promise<StoredFile | undefined> {
    await this.#ask('open', name)
    const content = this.#names.get(name)
    return content && this.#file(name, content)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#ask('rename', from)
    this.#change((names) => {
      const content = names.get(from)
      if (content === undefined) return
      names.delete(from)
      names.set(to, content)
    })
  }

  async remove(name: string): Promise<void> {
    await this.#ask('remove', name)
    this.#change((names) => names.delete(name))
  }

  async syncDirectory(): Promise<void> {
    await this.#ask('syncDirectory')
    for (const change of this.#unsyncedNames) change(this.#durableNames)
    this.#unsyncedNames = []
  }

  /** The bytes of a file as they are now, to be read or changed behind the engine's back. */
  bytes(name: string): Buffer {
    return this.#content(name).live
  }

  /** Puts other bytes in the place of a file, as damage would. */
  damage(name: string, bytes: Buffer): void {
    Object.assign(this.#content(name), { live: bytes, durable: bytes, unsynced: [] })
  }

  /** What another process finds after this one was killed: all that was written, synchronised or not. */
  afterKill(): SimulatedStorage {
    return new SimulatedStorage(
      undefined,
      copied(this.#names, ({ live }) => live),
    )
  }

  /**
   * What is found after a power failure: what was synchronised, any part of each later write, and the changes of names up to any of them.
   * `fraction` answers numbers from 0 up to but not including 1.
   */
  afterPowerFailure(fraction: () => number): SimulatedStorage {
    const names = new Map(this.#durableNames)
    for (const change of this.#unsyncedNames.slice(0, Math.floor(fraction() * (this.#unsyncedNames.length + 1))))
      change(names)
    const survivors = copied(names, (content) => {
      let bytes = content.durable
      for (const write of content.unsynced) {
        if (fraction() < 0.5) bytes = overwritten(bytes, torn(write, fraction), write.at)
      }
      return bytes
    })
    return new SimulatedStorage(undefined, survivors)
  }

  #change(change: (names: Map<string, Content>) => void): void {
    change(this.#names)
    this.#unsyncedNames.push(change)
  }

  #content(name: string): Content {
    const content = this.#names.get(name)
    if (content === undefined) throw new Error(`there is no file ${name}`)
    return content
  }

  #file(name: string, content: Content): StoredFile {
    return {
      size: async () => content.live.length,
      read: async (at, length) => {
        await this.#ask('read', name)
        return Buffer.from(content.live.subarray(at, at + length))
      },
      write: async (bytes, at) => {
        const copy = Buffer.from(bytes)
        const fault = await this.before({ kind: 'write', name })
        const taken = fault === undefined ? copy : copy.subarray(0, fault.taken ?? 0)
        content.live = overwritten(content.live, taken, at)
        content.unsynced.push({ at, bytes: taken })
        if (fault !== undefined) throw fault.error
      },
      sync: async () => {
        const [{ live }, written] = [content, content.unsynced.length]
        await this.#ask('sync', name)
        content.durable = live
        content.unsynced = content.unsynced.slice(written)
        if (![...this.#names.values()].includes(content)) throw new Error('the file was removed')
      },
      close: async () => undefined,
    }
  }

  async #ask(kind: StorageOperation['kind'], name: string = ''): Promise<void> {
    const fault = await this.before({ kind, name })
    if (fault !== undefined) throw fault.error
  }
}

function copied(names: ReadonlyMap<string, Content>, bytesOf: (content: Content) => Buffer): Map<string, Content> {
  const copies = [...names].map(([name, content]): [string, Content] => {
    const bytes = Buffer.from(bytesOf(content))
    return [name, { live: bytes, durable: bytes, unsynced: [] }]
  })
  return new Map(copies)
}

/** All of a write, or a part that ends where a sector does: a sector is written as a whole or not at all. */
function torn({ at, bytes }: { at: number; bytes: Buffer }, fraction: () => number): Buffer {
  if (fraction() < 0.5) return bytes
  const end = at + Math.floor(fraction() * bytes.length)
  return bytes.subarray(0, Math.max(0, end - (end % SECTOR_BYTES) - at))
}

function overwritten(bytes: Buffer, piece: Buffer, at: number): Buffer {
  const whole = Buffer.alloc(Math.max(bytes.length, at + piece.length))
  bytes.copy(whole)
  piece.copy(whole, at)
  return whole
}
