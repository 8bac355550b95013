import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore, type StorePlace } from '../../apps/fill-scheduler/src/store/open-store.js'
import { integrityOf } from '../../apps/fill-scheduler/src/store/testing/integrity.js'
import { PostgresServer } from '../../apps/fill-scheduler/src/store/testing/postgres-server.js'
import { addComparison, addSchedule, userOf } from '../../apps/fill-scheduler/src/store/testing/samples.js'
import { eventually } from '../kit/deadline.js'

/** A process of its own on a store, and what it has said so far. */
class StoreProcess {
  readonly lines: string[] = []
  readonly #process: ChildProcess
  readonly ended: Promise<unknown>

  constructor(task: 'claim' | 'write', place: StorePlace, name: string) {
    const program = fileURLToPath(new URL('store-process.mjs', import.meta.url))
    this.#process = spawn(process.execPath, [program, task, JSON.stringify(place), name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.ended = once(this.#process, 'close')
    if (this.#process.stdout) createInterface(this.#process.stdout).on('line', (line) => this.lines.push(line))
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.ended
  }
}

let folder: string
let server: PostgresServer

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fill-scheduler-'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server.end()
  rmSync(folder, { recursive: true })
})

describe('two processes on one store', () => {
  it('make its tables once when both are the first', async () => {
    const place = { file: join(folder, 'new', 'plans.db') }
    const processes = ['one', 'other'].map((name) => new StoreProcess('claim', place, name))
    expect(await Promise.all(processes.map(({ ended }) => ended))).toEqual([
      [0, null],
      [0, null],
    ])
  })

  it.each(['embedded libSQL', 'PostgreSQL'])(
    'never get the same of 200 runs, on %s',
    async (kind) => {
      const place = kind === 'PostgreSQL' ? { url: await server.newPlace() } : { file: join(folder, 'claims.db') }
      const store = await openStore(place)
      await store.migrate()
      await store.users.create(userOf('ada'))
      for (let n = 0; n < 50; n += 1) {
        await addSchedule(store, { id: `s${n}`, userId: 'ada', seconds: n })
        await addComparison(store, { id: `c${n}`, userId: 'ada', seconds: n })
      }
      const processes = ['one', 'other'].map((name) => new StoreProcess('claim', place, name))
      await Promise.all(processes.map(({ ended }) => ended))
      const claimed = processes.flatMap(({ lines }) => lines)
      expect(claimed).toHaveLength(200)
      expect(new Set(claimed).size).toBe(200)
      expect(await store.schedules.counts('ada')).toMatchObject({ status: { cancelled: 50 } })
      expect((await store.comparisons.list('ada', { page: 1, pageSize: 1, status: 'cancelled' })).total).toBe(50)
      await store.close()
    },
    60_000,
  )
})

describe('a process killed while it writes', () => {
  it('leaves an embedded file intact, with all that was acknowledged, in whole transactions', async () => {
    const file = join(folder, 'killed.db')
    const store = await openStore({ file })
    await store.migrate()
    await store.users.create(userOf('ada'))
    const said: string[] = []
    for (const [round, lines] of [7, 12, 20].entries()) {
      const writer = new StoreProcess('write', { file }, `round-${round}`)
      await eventually('the process has written', () => writer.lines.length >= lines, 20_000)
      await writer.kill()
      said.push(...writer.lines)
    }
    await store.close()
    expect(integrityOf(file)).toEqual(['ok'])
    const again = await openStore({ file })
    for (const [what, id] of said.map((line) => line.split(' '))) {
      const schedule = await again.schedules.get('ada', id ?? '')
      expect(schedule?.input.lots).toHaveLength(500)
      if (what === 'completed') expect(schedule?.status).toBe('completed')
    }
    const { items } = await again.schedules.list('ada', { page: 1, pageSize: 100 })
    for (const { id, status } of items) {
      const schedule = await again.schedules.get('ada', id)
      expect(schedule?.result !== undefined).toBe(status === 'completed')
      expect(await again.runs.open({ scheduleId: id })).toHaveLength(status === 'completed' ? 0 : 1)
    }
    await again.close()
  })
})
