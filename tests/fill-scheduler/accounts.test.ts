import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FillClient } from './kit/fill-client.js'
import { FillServer } from './kit/fill-server.js'

describe('accounts', () => {
  let server: FillServer

  beforeAll(async () => {
    // Without a secret of its own.
    server = await FillServer.start({ secret: undefined, example: true } as object)
  })

  afterAll(() => server.close())

  const client = (): FillClient => new FillClient(server.url)

  it('are opened once for each address, with a password of 8 to 256 characters', async () => {
    const { status, body } = await client().post('/auth/register', {
      email: 'Ada@Example.com',
      password: 'long enough',
    })
    expect([status, body]).toMatchObject([201, { email: 'ada@example.com' }])
    expect(Object.keys(body).toSorted()).toEqual(['created_at', 'email', 'id'])
    const again = await client().post('/auth/register', { email: 'ada@example.com', password: 'long enough' })
    expect([again.status, again.body]).toMatchObject([
      400,
      { error: { code: 'email_taken', message: 'Email already registered', field: 'email', retryable: false } },
    ])
    for (const [field, more] of [
      ['email', { email: 'nobody' }],
      ['password', { password: 'short' }],
      ['role', { role: 'admin' }],
    ] as const) {
      const refused = await client().post('/auth/register', {
        email: 'bob@example.com',
        password: 'long enough',
        ...more,
      })
      expect([refused.status, refused.body]).toMatchObject([400, { error: { field } }])
    }
  })

  it('are entered by form as by JSON, with a token for a day', async () => {
    const form = new URLSearchParams({ username: 'ada@example.com', password: 'long enough', grant_type: 'password' })
    for (const body of [form, { email: 'ADA@example.com', password: 'long enough' }]) {
      const { status, body: answer } = await client().post<{ access_token: string }>('/auth/login', body)
      expect([status, answer]).toMatchObject([200, { token_type: 'bearer', expires_in: 86_400 }])
      const me = await new FillClient(server.url, answer.access_token).get('/auth/me')
      expect([me.status, me.body]).toMatchObject([200, { email: 'ada@example.com' }])
      expect(me.headers.get('cache-control')).toBe('no-store')
    }
  })

  it('are left by a token that is good no more, for routes as for live updates', async () => {
    const ada = client()
    await ada.login('ada@example.com', 'long enough')
    expect((await ada.post('/auth/logout')).status).toBe(200)
    const { status, body, headers } = await ada.get('/auth/me')
    expect([status, body]).toMatchObject([401, { error: { code: 'unauthenticated' } }])
    expect(headers.get('www-authenticate')).toContain('Bearer')
    const live = ada.live()
    await expect(live.ready()).rejects.toThrow()
    live.disconnect()
  })

  it('look alike from outside, and lock whoever guesses: 429, with when to try again', async () => {
    const wrong = (email: string) => client().post('/auth/login', { email, password: 'wrong password' })
    const [known, unknown] = [await wrong('ada@example.com'), await wrong('nobody@example.com')]
    expect([known.status, known.body]).toMatchObject([401, { error: { message: 'Incorrect email or password' } }])
    expect(unknown.body).toEqual(known.body)
    let last = known
    for (let tries = 1; tries <= 12 && last.status === 401; tries += 1) last = await wrong('ada@example.com')
    expect([last.status, last.body]).toMatchObject([429, { error: { code: 'rate_limited', retryable: true } }])
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)
    const right = await client().post('/auth/login', { email: 'ada@example.com', password: 'long enough' })
    expect(right.status).toBe(429)
    let other = unknown
    for (let tries = 1; tries <= 40 && other.status === 401; tries += 1)
      other = await wrong(`nobody${tries}@example.com`)
    expect(other.status).toBe(429)
  })

  it('have their secret made once, for the owner of the folder alone', async () => {
    const file = join(server.folder, 'secret')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await readFile(file, 'utf8')).length).toBeGreaterThan(32)
  })

  it('are refused to tokens of others, and to those who send none', async () => {
    for (const token of [undefined, 'nonsense', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.']) {
      const { status, body } = await new FillClient(server.url, token).get('/schedules')
      expect([status, body]).toMatchObject([401, { error: { code: 'unauthenticated', retryable: false } }])
    }
  })
})

describe('the example', () => {
  it(
    'has an account that a link opens once, and the example lots planned; another start changes nothing, and brings nothing back',
    { timeout: 60_000 },
    async () => {
      let server = await FillServer.start({ example: true })
      const codeOf = ({ signInUrl = '' }: FillServer): string =>
        new URLSearchParams(new URL(signInUrl).hash.slice(1)).get('code') ?? ''
      const enter = async (code: string) => {
        const stranger = new FillClient(server.url)
        const { status, body } = await stranger.post<{ access_token: string }>('/auth/code', { code })
        return { status, planner: new FillClient(server.url, body.access_token) }
      }
      const { status, planner } = await enter(codeOf(server))
      expect(status).toBe(200)
      expect((await enter(codeOf(server))).status).toBe(401)
      expect((await planner.get('/auth/me')).body).toMatchObject({ email: 'planner@example.com' })
      const { body: schedules } = await planner.get<{ items: { id: string }[] }>('/schedules')
      for (const { id } of schedules.items)
        expect(await planner.reached(`/schedule/${id}`)).toMatchObject({ status: 'completed' })
      const { body: comparisons } = await planner.get<{ items: { id: string }[] }>('/comparisons')
      expect([schedules.items.length, comparisons.items.length]).toEqual([3, 1])
      expect(await planner.reached(`/compare/${comparisons.items[0]?.id}`)).toMatchObject({ status: 'completed' })
      await planner.delete(`/schedule/${schedules.items[0]?.id}`)
      await server.stop()
      server = await FillServer.start({ example: true }, server.folder)
      const again = await enter(codeOf(server))
      expect((await again.planner.get('/schedules')).body).toMatchObject({ total: 2 })
      expect((await again.planner.get('/comparisons')).body).toMatchObject({ total: 1 })
      await server.close()
    },
  )

  it('is for this machine alone', { timeout: 60_000 }, async () => {
    await expect(FillServer.start({ example: true, host: '0.0.0.0' })).rejects.toThrow(/this machine alone/)
  })
})
