import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openStore } from '../../apps/fill-scheduler/src/store/open-store.js'
import { eventually, within } from '../kit/deadline.js'
import { FillClient, type Json, manyLots } from './kit/fill-client.js'
import { FillServer } from './kit/fill-server.js'

const improver = (seconds: number): object => ({
  lots_data: manyLots(),
  strategy: 'improver',
  config: { strategies: { improver: { timeLimitSeconds: seconds } } },
})

/** Several starts of a server, on a machine that may have much else to do. */
const PATIENCE_MS = 180_000

/** Runs that other servers take from what one has left, and die at once. */
async function takenByTheDying({ folder }: FillServer, times: number): Promise<void> {
  const store = await openStore({ file: join(folder, 'fill-scheduler.db') })
  // After every lease.
  const claim = {
    leaseUntil: new Date(0).toISOString(),
    now: new Date(Date.now() + PATIENCE_MS).toISOString(),
    limit: 1,
  }
  for (let time = 0; time < times; time += 1)
    expect(await store.runs.claim({ ...claim, runner: `dying-${time}` })).toHaveLength(1)
  await store.close()
}

describe('a server that dies in the middle of a run', () => {
  let server: FillServer

  afterEach(async () => {
    await server.kill()
    await rm(server.folder, { recursive: true, force: true })
  })

  /** Another process on what the last one left, and the same user there. */
  const restarted = async (user: FillClient, runLeaseMs: number): Promise<FillClient> => {
    server = await FillServer.start({ runsAtATime: 1, runLeaseMs }, server.folder)
    return new FillClient(server.url, user.token)
  }

  it(
    'leaves everything behind for the next, which completes the run as its second attempt, and what waited; so does one that is asked to end',
    { timeout: PATIENCE_MS },
    async () => {
      // Nobody waits for the lease of a server that had the folder for itself.
      server = await FillServer.start({ runsAtATime: 1, runLeaseMs: 600_000 })
      let planner = await server.user()
      const done = await planner.schedule({ name: 'Done' })
      const before = await planner.reached(`/schedule/${done.id}`)
      await planner.post('/config', { name: 'Kept', settings: { lines: 2 } })
      const { id } = await planner.schedule(improver(1))
      const waiting = await planner.comparison()
      const live = planner.live()
      const watched = live.operation(id)
      watched.done.catch(() => undefined)
      await eventually('it is planning', () => watched.snapshot?.progress.phase?.name === 'planning')
      live.disconnect()
      await server.kill()

      planner = await restarted(planner, 60_000)
      expect((await planner.get(`/schedule/${done.id}`)).body).toEqual(before)
      expect((await planner.get('/configs')).body).toMatchObject({ total: 1, items: [{ name: 'Kept' }] })
      const again = planner.live()
      const operation = again.operation<Json>(id)
      await within('the operation ends', operation.done, 20_000)
      expect(operation.snapshot).toMatchObject({ state: 'completed', attempt: 2 })
      expect(await planner.reached(`/schedule/${id}`)).toMatchObject({ status: 'completed', lots_count: 120 })
      expect(await planner.reached(`/compare/${waiting.id}`)).toMatchObject({ status: 'completed' })
      const whole = again.operation(waiting.id)
      await within('the operation of the comparison ends', whole.done)
      expect(whole.snapshot).toMatchObject({ children: { total: 3, completed: 3 } })
      again.disconnect()

      // One that is asked to end leaves its run to the next at once: nobody waits for the lease.
      const last = await planner.schedule(improver(1))
      await planner.reached(`/schedule/${last.id}`, ['running'])
      await server.stop()
      expect(server.log).toEqual([])
      planner = await restarted(planner, 60_000)
      expect(await planner.reached(`/schedule/${last.id}`)).toMatchObject({ status: 'completed' })
    },
  )

  it('was the third to die over the same run: it has failed then, for good', { timeout: PATIENCE_MS }, async () => {
    server = await FillServer.start({ runsAtATime: 1 })
    let planner = await server.user()
    const { id } = await planner.schedule(improver(120))
    await planner.reached(`/schedule/${id}`, ['running'])
    // A second one beside it, by mistake, takes nothing.
    await expect(FillServer.start({}, server.folder)).rejects.toThrow(/is in use by process \d+/)
    expect((await planner.get(`/operations/${id}`)).body).toMatchObject({ state: 'running', attempt: 1 })
    await server.kill()
    await takenByTheDying(server, 2)
    planner = await restarted(planner, 2_000)
    expect(await planner.reached(`/schedule/${id}`)).toMatchObject({
      status: 'failed',
      error: { code: 'run_abandoned' },
    })
    const { body } = await eventually('the operation has ended', async () => {
      const answer = await planner.get(`/operations/${id}`)
      return answer.body['state'] === 'failed' && answer
    })
    expect(body).toMatchObject({ error: { code: 'run_abandoned' } })
  })
})
