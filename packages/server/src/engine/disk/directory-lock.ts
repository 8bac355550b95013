import { unwatchFile, watchFile } from 'node:fs'
import { link, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { Cancel, Clock } from '../../clock.js'
import type { Random } from '../../random.js'
import { ignore } from './storage.js'

/** How often the holder shows that it is alive, to those who cannot see its process. */
const TOUCH_INTERVAL_MS = 5_000

/** How long a lock from another machine, or another container, is watched before it counts as left behind. */
const WATCH_MS = 12_000

/** Directories that this process is in: a lock with its own number tells it nothing, since numbers are used again. */
const held = new Set<string>()

interface Holder {
  readonly pid: number
  readonly host: string
  /** When the process began, as the system counts it; tells a process from an earlier one with the same number. */
  readonly began: string
}

/** Keeps a directory to one process, by a file `lock` that names it. What a process that ended left behind is taken over. */
export class DirectoryLock {
  readonly #directory: string
  readonly #path: string
  readonly #clock: Clock
  readonly #random: Random
  #stopTouching: Cancel | undefined

  constructor(directory: string, parts: { readonly clock: Clock; readonly random: Random }) {
    this.#directory = resolve(directory)
    this.#path = join(this.#directory, 'lock')
    this.#clock = parts.clock
    this.#random = parts.random
  }

  /**
   * Taking it again, when it may have been removed from outside, is allowed.
   *
   * @throws Error that names the process in the directory.
   */
  async take(): Promise<void> {
    const me = JSON.stringify(await self())
    if (this.#stopTouching !== undefined && (await readFile(this.#path, 'utf8').catch(() => '')) === me) return
    if (this.#stopTouching === undefined) claimHere(this.#directory)
    try {
      await this.#enter(me)
    } catch (error) {
      if (this.#stopTouching === undefined) held.delete(this.#directory)
      throw error
    }
    this.#stopTouching ??= this.#clock.every(TOUCH_INTERVAL_MS, () => this.#touch())
  }

  async release(): Promise<void> {
    if (this.#stopTouching === undefined) return
    this.#stopTouching()
    this.#stopTouching = undefined
    await rm(this.#path, { force: true }).catch(ignore)
    held.delete(this.#directory)
  }

  #touch(): void {
    const now = new Date(this.#clock.now())
    void utimes(this.#path, now, now).catch(ignore)
  }

  async #enter(me: string): Promise<void> {
    const mine = `${this.#path}.${this.#random.id(6)}`
    try {
      await writeFile(mine, me, { mode: 0o600 })
      // A link is made or refused in one step, whoever races.
      while (!(await isLinked(mine, this.#path))) await this.#removeIfLeft()
    } finally {
      await rm(mine, { force: true }).catch(ignore)
    }
  }

  /** Takes the lock away when nobody holds it any more; throws when somebody does. */
  async #removeIfLeft(): Promise<void> {
    const text = await readFile(this.#path, 'utf8').catch(() => undefined)
    if (text === undefined) return
    const holder = parsed(text)
    if (holder !== undefined && (await this.#isAlive(holder))) {
      const where = holder.host === hostname() ? '' : ` on ${holder.host}`
      throw new Error(
        `${this.#directory} is in use by process ${holder.pid}${where}; a directory belongs to one process at a time`,
      )
    }
    const aside = `${this.#path}.${this.#random.id(6)}`
    await rename(this.#path, aside).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw error
    })
    // Another may have taken over in between: then its lock was moved, and goes back.
    if ((await readFile(aside, 'utf8').catch(() => text)) !== text) await link(aside, this.#path).catch(ignore)
    await rm(aside, { force: true })
  }

  async #isAlive(holder: Holder): Promise<boolean> {
    if (holder.host !== hostname()) return this.#isTouched()
    if (!isRunning(holder.pid)) return false
    const { state, began } = await look(String(holder.pid))
    // One that ended and was not waited for still has its number.
    if (state === 'Z' || state === 'X') return false
    return began === '' || holder.began === '' || began === holder.began
  }

  /** Whether somebody touches the lock while we watch: clocks of machines differ, so its time is compared with nothing but itself. */
  async #isTouched(): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (touched: boolean): void => {
        unwatchFile(this.#path, changed)
        stop()
        resolve(touched)
      }
      const changed = ({ mtimeMs }: { mtimeMs: number }): void => end(mtimeMs !== 0)
      const stop = this.#clock.after(WATCH_MS, () => end(false))
      watchFile(this.#path, { interval: 500 }, changed)
    })
  }
}

function claimHere(directory: string): void {
  if (held.has(directory)) throw new Error(`${directory} is in use by this very process (${process.pid})`)
  held.add(directory)
}

async function self(): Promise<Holder> {
  return { pid: process.pid, host: hostname(), began: (await look('self')).began }
}

async function isLinked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false
    throw error
  }
}

function parsed(text: string): Holder | undefined {
  try {
    const { pid, host, began } = JSON.parse(text) as Partial<Holder>
    return typeof pid === 'number' && typeof host === 'string' ? { pid, host, began: String(began) } : undefined
  } catch {
    // A machine that lost power while the lock was written leaves half of one.
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    // Signal 0 only asks.
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: unknown }).code === 'EPERM'
  }
}

/** The third and the 22nd field of /proc/PID/stat; empty where there is no such thing. The second, the name of the program in brackets, may hold spaces. */
async function look(pid: string): Promise<{ readonly state: string; readonly began: string }> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const [state = '', ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state, began: fields[18] ?? '' }
}
