import { type Holdfast, createHoldfast, signToken } from '@holdfast/server'
import { afterEach, expect, it } from 'vitest'
import { LossyProxy } from '../../../../../tests/kit/lossy-proxy.js'
import { systemClock } from '../../clock.js'
import { apiOf } from '../api.js'
import type { ServerAccess } from '../server-access.js'
import { Reporter } from './reporter.js'

const SECRET = 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU'

let holdfast: Holdfast | undefined
let proxy: LossyProxy | undefined

afterEach(async () => {
  proxy?.close()
  await holdfast?.close()
})

/** A server that loses the answer to one request. */
async function serverThatLoses(line: string): Promise<ServerAccess> {
  holdfast = createHoldfast({ auth: { secret: SECRET } })
  const { port } = await holdfast.listen()
  proxy = await LossyProxy.start(`http://127.0.0.1:${port}`)
  proxy.lose(line)
  const token = signToken({ secret: SECRET, tenant: 'acme', user: 'ada', permissions: ['operations'] })
  return { origin: proxy.origin, credential: () => token, ownToken: false } as ServerAccess
}

it('tells an end again whose answer was lost, and nothing that would be refused behind it', async () => {
  const access = await serverThatLoses('POST /api/v1/operations/a/complete')
  const told: string[] = []
  const reporter = new Reporter({
    api: apiOf(access),
    spec: { id: 'a', kind: 'run' },
    mayTakeUp: false,
    key: 'run-1',
    clock: systemClock,
    heartbeatMs: () => 1_000,
    events: {
      snapshot: () => undefined,
      cancelled: () => void told.push('cancelled'),
      superseded: () => void told.push('superseded'),
      trouble: (reason) => void told.push(reason === undefined ? 'back' : 'away'),
      refused: (reason) => void told.push(reason),
    },
  })
  await reporter.begin()
  reporter.report({ done: 3, total: 4 })
  const ending = { state: 'completed', result: { exitCode: 0 } } as const
  expect(await reporter.end(ending, 10_000, new AbortController().signal)).toBeUndefined()
  expect([proxy?.hasLost, told]).toEqual([true, ['away']])
  expect(await holdfast?.tenant('acme').operations.get('a')).toMatchObject({
    state: 'completed',
    progress: { done: 4 },
  })
})
