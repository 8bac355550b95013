import { openStore } from '../../apps/fill-scheduler/dist/store/open-store.js'

// A process that uses a store which others use, too, and may be killed at any moment. It prints a line for each thing that
// the store has acknowledged: `node store-process.mjs claim|write PLACE NAME`, the place as `openStore` takes it, in JSON.

const [task, place, name] = process.argv.slice(2)
const store = await openStore(JSON.parse(place))
await store.migrate()
await (task === 'claim' ? claimAll() : writeOn())
await store.close()

/** Takes runs and ends them until there are none. */
async function claimAll() {
  for (;;) {
    const now = new Date()
    const leaseUntil = new Date(now.getTime() + 600_000).toISOString()
    const runs = await store.runs.claim({ runner: name, now: now.toISOString(), leaseUntil, limit: 5 })
    if (runs.length === 0) return
    for (const { id } of runs) {
      if (await store.runs.finish(id, name, { status: 'cancelled', at: now.toISOString() })) console.log(id)
    }
  }
}

/** Makes schedules and ends them for ever. */
async function writeOn() {
  const lots = Array.from({ length: 500 }, (_, n) => ({ id: `L${n}`, type: 'VialE', vials: 1, fillHours: 1 / (n + 1) }))
  const input = { lots, settings: {}, lotsHash: '' }
  const result = { statistics: { makespanHours: 1, utilisationPercent: 1, changeovers: 0 }, plan: { activities: lots } }
  const planned = { userId: 'ada', strategy: 'exact', mode: 'improved', input }
  const at = '2026-01-01T00:00:00.000Z'
  for (let n = 0; ; n += 1) {
    const id = `${name}-${n}`
    await store.schedules.create(
      { ...planned, id, name: id, status: 'pending', createdAt: at },
      { ...planned, id, scheduleId: id },
    )
    console.log(`created ${id}`)
    await store.runs.claim({ runner: name, now: at, leaseUntil: '2026-01-02T00:00:00.000Z', limit: 1 })
    if (await store.runs.finish(id, name, { status: 'completed', result, at })) console.log(`completed ${id}`)
  }
}
