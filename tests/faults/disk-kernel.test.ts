import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DiskProcess } from './disk-process.js'

// What the kernel does when a disk fails, with a real one: a tiny file system in a name space of its own, and system calls made to fail or to take their time.

let dir: string
const processes: DiskProcess[] = []

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-kernel-'))
})

afterEach(async () => {
  for (const process of processes.splice(0)) await process.kill()
  rmSync(dir, { recursive: true, force: true })
})

async function begin(around: readonly string[] = [], directory: string = dir): Promise<DiskProcess> {
  const started = new DiskProcess(directory, {}, around)
  processes.push(started)
  await started.ready()
  return started
}

/** Runs in a name space where `dir` is a file system of `size`; `then` is done there first. */
const onTmpfs = (size: string, then: string): string[] => {
  const script = `mount -t tmpfs -o size=${size} tmpfs "$0" && ${then} && exec "$@"`
  return ['unshare', '--map-root-user', '--mount', 'sh', '-c', script, dir]
}

/** Runs with system calls that fail or wait. One thread for the disk, so that calls are counted together. */
const injecting = (what: string): string[] => {
  const calls = what.slice(0, what.indexOf(':'))
  const strace = [
    'strace',
    '-f',
    '-qq',
    '--seccomp-bpf',
    '-o',
    '/dev/null',
    '-e',
    `trace=${calls}`,
    '-e',
    `inject=${what}`,
  ]
  return ['env', 'UV_THREADPOOL_SIZE=1', ...strace]
}

const acknowledged = ({ said }: DiskProcess): number[] => said.flatMap(({ acked }) => acked?.[0] ?? [])

async function stored(process: DiskProcess): Promise<number[]> {
  const { data } = await process.ask({ do: 'read' }, ({ read }) => read)
  return data.map((text) => Number.parseInt(JSON.parse(text) as string))
}

const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((one, other) => one - other)

describe('F-56 a disk that is full', () => {
  it('is told of, loses nothing, and takes more when there is space again', async () => {
    const ballast = join(dir, 'ballast')
    const disk = await begin(onTmpfs('1m', `head -c 400000 /dev/zero > ${ballast}`), join(dir, 'engine'))
    disk.tell({ do: 'publish', from: 0, to: 400, publishers: 4, bytes: 4_000 })
    expect(await disk.hears('a problem', ({ problem }) => problem ?? undefined)).toContain('ENOSPC')
    expect(await disk.hears('a refusal', ({ rejected }) => rejected)).toBe('engine_unavailable')
    expect(sorted(await stored(disk))).toEqual(sorted(acknowledged(disk)).slice(-300))
    disk.free(ballast)
    await disk.hears('that it serves', ({ problem }) => (problem === null ? true : undefined))
    const before = disk.said.length
    disk.tell({ do: 'publish', from: 1_000, to: 1_004, publishers: 1, bytes: 4_000 })
    await disk.hears('the last of them', ({ acked }) => (acked?.[0] === 1_003 ? true : undefined), before)
    expect(sorted(await stored(disk))).toEqual(sorted(acknowledged(disk)).slice(-300))
  })
})

describe('F-57 a synchronisation that fails', () => {
  it('once is survived: what was acknowledged is there, what was refused is not', async () => {
    const disk = await begin(injecting('fdatasync:error=EIO:when=30'))
    disk.tell({ do: 'publish', from: 0, to: 100, publishers: 1 })
    expect(await disk.hears('a problem', ({ problem }) => problem ?? undefined)).toContain('EIO')
    await disk.hears('that it serves', ({ problem }) => (problem === null ? true : undefined))
    disk.tell({ do: 'publish', from: 200, to: 210, publishers: 1 })
    await disk.hears('the last of them', ({ acked }) => (acked?.[0] === 209 ? true : undefined))
    const numbers = acknowledged(disk)
    await disk.kill()
    const again = await begin()
    expect(await stored(again)).toEqual(numbers)
    expect(again.said.map(({ logged }) => logged).filter(Boolean)).toEqual([])
  })

  it('for good stops everything that would have to be stored, and nothing else', async () => {
    const disk = await begin(injecting('fdatasync:error=EIO:when=30+'))
    disk.tell({ do: 'publish', from: 0, to: 100, publishers: 1 })
    expect(await disk.hears('a problem', ({ problem }) => problem ?? undefined)).toContain('EIO')
    const numbers = acknowledged(disk)
    expect(await stored(disk)).toEqual(numbers)
    expect(await disk.ask({ do: 'publish', from: 200, to: 201, publishers: 1 }, ({ rejected }) => rejected)).toBe(
      'engine_unavailable',
    )
    await disk.kill()
    const again = await begin()
    expect((await stored(again)).slice(0, numbers.length)).toEqual(numbers)
  })
})

describe('F-59 a directory', () => {
  it('that was removed is missed at once; when it is there again everything is put into it', async () => {
    const home = join(dir, 'engine')
    const disk = await begin([], home)
    disk.tell({ do: 'publish', from: 0, to: 20, publishers: 2 })
    await disk.hears('all of them', () => (acknowledged(disk).length === 20 ? true : undefined))
    rmSync(home, { recursive: true })
    expect(await disk.ask({ do: 'publish', from: 20, to: 21, publishers: 1 }, ({ rejected }) => rejected)).toBe(
      'engine_unavailable',
    )
    expect(await stored(disk)).toHaveLength(20)
    mkdirSync(home)
    await disk.hears('that it serves', ({ problem }) => (problem === null ? true : undefined))
    await disk.ask({ do: 'publish', from: 21, to: 22, publishers: 1 }, ({ acked }) => acked)
    const numbers = acknowledged(disk)
    await disk.kill()
    expect(await stored(await begin([], home))).toEqual(numbers)
  })

  it('that cannot be written at the start is refused in words', async () => {
    await expect(begin(onTmpfs('1m', `mount -o remount,ro "$0"`))).rejects.toThrow(/EROFS/)
  })
})

describe('F-60 a disk that takes 200 ms', () => {
  it('is written in groups, and the event loop does not wait for it', async () => {
    const disk = await begin(injecting('fdatasync:delay_enter=200000'))
    const delays: number[] = []
    // The machine may be busy with something else: the best of three.
    for (let attempt = 0; attempt < 3 && Math.min(...delays) >= 20; attempt += 1) {
      disk.tell({ do: 'watchDelay' })
      const from = attempt * 2_000
      const before = disk.said.length
      disk.tell({ do: 'publish', from, to: from + 2_000, publishers: 500 })
      await disk.hears('all of them', () => (acknowledged(disk).length === from + 2_000 ? true : undefined), before)
      delays.push(await disk.ask({ do: 'tellDelay' }, ({ delayMs }) => delayMs))
    }
    expect(Math.min(...delays)).toBeLessThan(20)
  })
})
