import { beforeEach, describe, expect, it } from 'vitest'
import { createHttpApp } from './app.js'

let reason: string | undefined
const app = createHttpApp({
  unready: () => {
    if (reason === 'broken') throw new Error('password 1234')
    return reason
  },
})

beforeEach(() => {
  reason = undefined
})

const get = async (path: string, init?: RequestInit): Promise<Response> => app.request(`http://node${path}`, init)

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
    expect(await response.json()).toEqual({ error: { code: 'not_found', message: 'There is nothing at this address' } })
  })

  it('answers no other method', async () => expect((await get('/health/live', { method: 'POST' })).status).toBe(404))

  it('tells nothing of its own mistakes', async () => {
    reason = 'broken'
    const response = await get('/health/ready')
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('1234')
  })

  it.each(['/health/live', '/nothing'])('asks that %s be neither kept nor guessed at', async (path) => {
    const { headers } = await get(path)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('content-type')).toContain('application/json')
  })
})
