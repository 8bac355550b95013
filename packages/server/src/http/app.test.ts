import { beforeEach, describe, expect, it } from 'vitest'
import { HostPolicy } from '../access/host-policy.js'
import { OriginList } from '../access/origin-list.js'
import { OriginPolicy } from '../access/origin-policy.js'
import { Perimeter } from '../access/perimeter.js'
import { TrustedProxies } from '../access/trusted-proxies.js'
import { systemClock } from '../clock.js'
import { createHttpApp } from './app.js'
import { protect } from './protection.js'

const NOBODY = new OriginList([], false)
const audit = { record: (): void => undefined }
const rules = {
  environment: 'production',
  isOpen: false,
  needsHttps: true,
  node: NOBODY,
  tenants: new Map(),
  someTenant: NOBODY,
}

let reason: string | undefined
let thrown: unknown[]
const app = createHttpApp({
  unready: () => {
    if (reason === 'broken') throw new Error('password 1234')
    return reason
  },
})
const answer = protect(
  {
    perimeter: new Perimeter({
      proxies: new TrustedProxies([]),
      hosts: new HostPolicy(undefined, () => false),
      audit,
    }),
    origins: new OriginPolicy(rules, { clock: systemClock, audit }),
    newId: () => 'request-1',
    onError: (error, id) => thrown.push([id, error]),
  },
  (request) => app.fetch(request),
)

beforeEach(() => {
  reason = undefined
  thrown = []
})

const get = (path: string, init?: RequestInit): Promise<Response> => answer(new Request(`http://node${path}`, init))

describe('the HTTP side of a node', () => {
  it('says that it lives', async () => {
    const response = await get('/health/live')
    expect([response.status, await response.json()]).toEqual([200, { status: 'live' }])
  })

  it('lives, also while it is not ready', async () => {
    reason = 'draining'
    expect((await get('/health/live')).status).toBe(200)
  })

  it('says whether it is ready, and why not', async () => {
    expect((await get('/health/ready')).status).toBe(200)
    reason = 'draining'
    const response = await get('/health/ready')
    expect([response.status, await response.json()]).toEqual([503, { status: 'unready', reason: 'draining' }])
  })

  it.each(['/', '/health', '/health/live/', '/ws', '/health/../etc/passwd'])('has nothing at %s', async (path) => {
    const response = await get(path)
    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({
      error: { code: 'not_found', message: 'There is nothing at this address', retryable: false },
    })
  })

  it('answers no other method', async () => expect((await get('/health/live', { method: 'POST' })).status).toBe(404))

  it('tells nothing of its own mistakes but the id under which the log has more', async () => {
    reason = 'broken'
    const response = await get('/health/ready')
    expect(response.status).toBe(500)
    const error = { code: 'internal_error', message: 'Internal error', retryable: true, id: 'request-1' }
    expect(await response.json()).toEqual({ error })
    expect(thrown).toEqual([['request-1', expect.objectContaining({ message: 'password 1234' })]])
  })

  it.each(['/health/live', '/nothing'])('asks that %s be neither kept nor guessed at', async (path) => {
    const { headers } = await get(path)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('content-type')).toContain('application/json')
  })
})
