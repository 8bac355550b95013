import { describe, expect, it } from 'vitest'
import { Stage, message, verdict, welcome } from './testing/scripted-server.js'
import { settle } from './testing/simulated-clock.js'

const channel = 'operation:import-1'

function snapshot(version: number, state: string, more: object = {}): object {
  const progress = { done: version, total: 10, percent: version * 10 }
  const fixed = { id: 'import-1', kind: 'import', owner: 'ada', tenant: 'acme', attempt: 1, elapsed: 1, updatedAt: '' }
  return { ...fixed, state, version, progress, ...more }
}

function event(version: number, state: string, more: object = {}): object {
  return { ...message(undefined, 'snapshot', channel), event: state, data: snapshot(version, state, more) }
}

async function watched(stage: Stage) {
  const job = stage.client.operation<{ rows: number }>('import-1')
  const percents: (number | undefined)[] = []
  job.on('progress', ({ percent }) => percents.push(percent))
  return { job, percents, end: await stage.open() }
}

describe('an operation', () => {
  it('tells its progress and resolves with its result, then watches no more', async () => {
    const stage = new Stage()
    const { job, percents, end } = await watched(stage)
    const states: string[] = []
    job.on('state', ({ state }) => states.push(state))
    end.send(
      event(1, 'running', { eta: { seconds: 9, low: 8, high: 12 } }),
      event(2, 'running'),
      event(10, 'completed', { result: { rows: 5 } }),
    )
    expect(await job.done).toEqual({ rows: 5 })
    expect(percents).toEqual([10, 20, 100])
    expect(states).toEqual(['running', 'completed'])
    await settle()
    expect(end.all('unsubscribe')).toMatchObject([{ channel }])
    expect(stage.client.operation('import-1')).not.toBe(job)
  })

  it('ignores a snapshot that is not newer', async () => {
    const stage = new Stage()
    const { percents, end } = await watched(stage)
    end.send(event(3, 'running'), event(2, 'running'), event(3, 'running'), event(4, 'running'))
    expect(percents).toEqual([30, 40])
  })

  it('takes the newest snapshot after a reconnect, though it carries an id that was seen', async () => {
    const stage = new Stage()
    const { job, end } = await watched(stage)
    end.send(event(3, 'running'))
    stage.network.onConnect = (next) => {
      next.onCommand = ({ type }) => type === 'hello' && next.send(welcome())
      next.accept()
    }
    end.close(1006)
    await stage.clock.pass(1000)
    const [subscribe] = stage.end.all('subscribe')
    stage.end.send(verdict(0, { id: subscribe!.id!, channel, messages: [event(7, 'running')] }))
    expect(job.snapshot).toMatchObject({ version: 7 })
  })

  it.each(['failed', 'cancelled', 'expired'])('rejects with a typed error when it %s', async (state) => {
    const stage = new Stage()
    const { job, end } = await watched(stage)
    end.send(event(4, state, { error: { code: 'disk_full', message: 'No room', retryable: true } }))
    await expect(job.done).rejects.toMatchObject({
      name: 'OperationError',
      code: `operation_${state}`,
      message: 'No room',
      snapshot: { state },
    })
  })

  it('ends for a watcher who may not see it, and for one who disconnects', async () => {
    const stage = new Stage()
    const { job, end } = await watched(stage)
    end.send({ type: 'unsubscribed', channel, code: 'not_found', message: 'No such operation' })
    await expect(job.done).rejects.toMatchObject({ code: 'not_found' })
    const other = stage.client.operation('import-2')
    const done = expect(other.done).rejects.toMatchObject({ code: 'disconnected' })
    stage.client.disconnect()
    await done
  })

  it('can be looped over: the newest each time, the last one always', async () => {
    const stage = new Stage()
    const { job, end } = await watched(stage)
    const versions: number[] = []
    const loop = (async () => {
      for await (const { version } of job) versions.push(version)
    })()
    await settle()
    end.send(event(1, 'running'))
    await settle()
    end.send(event(2, 'running'), event(3, 'running'))
    await settle()
    end.send(event(4, 'completed'))
    await loop
    expect(versions).toEqual([1, 3, 4])
  })

  it('asks for its cancellation', async () => {
    const stage = new Stage()
    const { job, end } = await watched(stage)
    await job.cancel()
    expect(end.all('cancel')).toMatchObject([{ operation: 'import-1' }])
  })
})

it('is watched as long as somebody listens', async () => {
  const stage = new Stage()
  const job = stage.client.operation('import-1')
  const off = job.on('progress', () => {})
  const end = await stage.open()
  off()
  await settle()
  expect(end.all('unsubscribe')).toHaveLength(1)
  job.on('progress', () => {})
  await settle()
  expect(end.all('subscribe')).toHaveLength(2)
  end.send(event(1, 'running'))
  expect(job.snapshot).toMatchObject({ version: 1 })
})

it('is watched from its snapshot on each time, wherever the last watch ended, and leaves nothing in the cursor store', async () => {
  const saved: string[] = []
  const cursorStore = { load: () => undefined, save: (name: string) => void saved.push(name) }
  const stage = new Stage({ cursorStore })
  const end = await stage.open()
  for (const version of [4, 9]) {
    const job = stage.client.operation('import-1')
    const off = job.on('progress', () => {})
    await settle()
    expect(end.all('subscribe').at(-1)).toMatchObject({ channel, since: 'newest:1' })
    end.send({ ...event(version, 'running'), offset: version } as object)
    expect(job.snapshot).toMatchObject({ version })
    off()
    await settle()
  }
  expect(saved).toEqual([])
})

it('is the same object as long as somebody watches it, and forgotten afterwards', async () => {
  const stage = new Stage()
  await stage.open()
  const job = stage.client.operation('import-1')
  const off = job.on('progress', () => {})
  expect(stage.client.operation('import-1')).toBe(job)
  off()
  await settle()
  expect(stage.client.operation('import-1')).not.toBe(job)
})

it('is followed through either object, when one is kept that was left and another was made', async () => {
  const stage = new Stage()
  const end = await stage.open()
  const old = stage.client.operation('import-1')
  old.on('progress', () => {})()
  await settle()
  const other = stage.client.operation('import-1')
  const offOther = other.on('progress', () => {})
  const offOld = old.on('progress', () => {})
  await settle()
  end.send(event(1, 'running'))
  offOther()
  await settle()
  end.send(event(2, 'running'))
  expect([old.snapshot?.version, other.snapshot?.version]).toEqual([2, 1])
  offOld()
  await settle()
  expect(end.all('unsubscribe')).toHaveLength(2)
})
