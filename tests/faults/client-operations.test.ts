import { Holdfast as Client } from '@holdfast/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Holdfast, createHoldfast, signToken } from '@holdfast/server'
import { WebSocket } from 'ws'
import { eventually, within } from '../kit/deadline.js'
import { SECRET } from '../kit/server-process.js'

describe('an operation that is watched again', () => {
  let server: Holdfast
  let client: Client

  beforeAll(async () => {
    server = createHoldfast({ auth: { secret: SECRET }, channels: {}, operations: { conflateMs: 0 } })
    const { url } = await server.listen(0)
    const token = signToken({ secret: SECRET, tenant: 'acme', user: 'ada', ttlSeconds: 600 })
    client = new Client(url, { token, WebSocket })
    await client.ready()
  })

  afterAll(async () => {
    client.disconnect()
    await server.close()
  })

  it('tells how it ended to whoever asks after its end, each time', async () => {
    const { operations } = server.tenant('acme')
    await operations.run({ id: 'import-1', kind: 'import', owner: 'ada', total: 3 }, async (op) => {
      const first = client.operation('import-1')
      op.advance(1)
      await eventually('a watcher learns of it', () => {
        void first.done
        return first.snapshot?.progress.done === 1
      })
      op.advance(2)
      return { rows: 3 }
    })
    for (let times = 0; times < 3; times += 1)
      expect(await within('the result', client.operation('import-1').done)).toEqual({ rows: 3 })
  })

  it('tells where it is now to whoever left it for a while', async () => {
    const op = await server.tenant('acme').operations.start({ id: 'import-2', kind: 'import', owner: 'ada', total: 9 })
    for (const done of [1, 2, 3]) {
      op.advance(1)
      const job = client.operation('import-2')
      const off = job.on('progress', () => {})
      await eventually('the progress is known', () => job.snapshot?.progress.done === done)
      off()
      await eventually('nobody watches it', () => client.operation('import-2') !== job)
    }
    await op.complete()
  })
})
