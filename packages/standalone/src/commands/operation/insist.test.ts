import { once } from 'node:events'
import { type IncomingMessage, type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../../clock.js'
import { apiOf } from '../api.js'
import type { ServerAccess } from '../server-access.js'
import { insist } from './insist.js'

let server: Server | undefined
const keys: (string | undefined)[] = []

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  keys.length = 0
})

/** Waits for nothing. */
const hasty: Clock = { ...systemClock, after: (_, task) => systemClock.after(0, task) }

/** Asks a server that does with its requests, in order, what the answers say: loses them, or answers with that status. */
async function asked(...answers: readonly (number | 'lost')[]): Promise<unknown> {
  server = createServer((request: IncomingMessage, response) => {
    const answer = answers[keys.length] ?? 200
    keys.push(request.headers['idempotency-key'] as string)
    if (answer === 'lost') return void request.socket.destroy()
    response.statusCode = answer
    const error = { code: 'engine_unavailable', message: 'away', retryable: answer === 503, retryAfter: 0 }
    response.end(JSON.stringify(answer === 200 ? { id: 'a' } : { error }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const api = apiOf({ origin, credential: () => 'token', ownToken: false } as ServerAccess)
  return insist(api, { method: 'PATCH', path: ['operations', 'a'], body: { advance: 1 } }, hasty)
}

describe('a word of a worker', () => {
  it('is said again under the same key where its answer was lost, or the server asks for that', async () => {
    expect(await asked('lost', 503)).toEqual({ id: 'a' })
    expect(keys).toHaveLength(3)
    expect(new Set(keys).size).toBe(1)
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('is not said again where it was refused', async () => {
    await expect(asked(409)).rejects.toMatchObject({ code: 'engine_unavailable', status: 409 })
    expect(keys).toHaveLength(1)
  })

  it('is given up in the end', async () => {
    await expect(asked('lost', 'lost', 'lost', 503)).rejects.toMatchObject({ status: 503 })
    expect(keys).toHaveLength(4)
  })
})
