import { HoldfastError } from '@holdfast/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FillClient, Json } from './kit/fill-client.js'
import { FillServer } from './kit/fill-server.js'

interface Operation {
  readonly security?: readonly unknown[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Json }>> }
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Json>> }
}

/** Whose thing stands in a path, by what the path begins with: a new kind of thing has to be added here. */
const KINDS: Readonly<Record<string, 'schedule' | 'comparison' | 'template'>> = {
  schedule: 'schedule',
  compare: 'comparison',
  config: 'template',
}

describe('what is of another user', () => {
  let server: FillServer
  let ada: FillClient
  let bob: FillClient
  let nobody: FillClient
  let document: Document
  const ids: Record<string, string> = {}

  beforeAll(async () => {
    server = await FillServer.start()
    ada = await server.user()
    bob = await server.user()
    nobody = await server.user()
    document = (await (await nobody.fetch('/openapi.json')).json()) as Document
    ids['schedule'] = (await ada.schedule()).id
    ids['comparison'] = (await ada.comparison()).id
    const { body } = await ada.post<{ id: string }>('/config', { name: 'Mine', settings: { lines: 2 } })
    ids['template'] = body.id
    await ada.reached(`/schedule/${ids['schedule']}`)
    await ada.reached(`/compare/${ids['comparison']}`)
  })

  afterAll(() => server.close())

  const routes = (): [method: string, path: string, operation: Operation][] =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
        method.toUpperCase(),
        path,
        operation,
      ]),
    )

  /** The example of the body that a route says it takes, so that nothing but the owner can be the reason of a refusal. */
  const bodyOf = ({ requestBody }: Operation): unknown => {
    const schema = requestBody?.content['application/json']?.schema
    if (schema === undefined) return undefined
    const { $ref: reference = '' } = schema as { readonly $ref?: string }
    const name = reference.split('/').at(-1) ?? ''
    return (document.components.schemas[name] ?? schema)['example']
  }

  it('is a 404 on every route with an id, the same as what does not exist, and is still there', async () => {
    const withId = routes().filter(([, path]) => path.includes('{'))
    expect(withId.length).toBeGreaterThanOrEqual(14)
    for (const [method, path, operation] of withId) {
      const kind = KINDS[path.split('/')[3] ?? ''] ?? `a kind that this test does not know: ${path}`
      const body = bodyOf(operation)
      expect([path, operation.requestBody !== undefined && body === undefined]).toEqual([path, false])
      const asked = (id: string) => bob.ask(method, path.slice('/api/v1'.length).replace('{id}', id), body)
      const [others, missing] = [await asked(ids[kind] ?? ''), await asked('0'.repeat(24))]
      expect([method, path, others.status, others.body]).toMatchObject([
        method,
        path,
        404,
        { error: { code: 'not_found' } },
      ])
      expect(others.body).toEqual(missing.body)
    }
    expect((await ada.get(`/schedule/${ids['schedule']}`)).body).toMatchObject({ status: 'completed' })
    expect((await ada.get(`/compare/${ids['comparison']}`)).body).toMatchObject({ status: 'completed' })
    expect((await ada.get(`/config/${ids['template']}`)).body).toMatchObject({ name: 'Mine', is_default: false })
  })

  it('cannot be used by naming it in a body', async () => {
    const lots_data = [{ lot_id: 'A', lot_type: 'T', vials: 1 }]
    for (const path of ['/schedule', '/schedule/json', '/schedule/validate', '/compare']) {
      const strategies = path === '/compare' ? { strategies: ['spt', 'lpt'] } : {}
      const { status } = await bob.post(path, { lots_data, template_id: ids['template'], ...strategies })
      expect([path, status]).toEqual([path, 404])
    }
  })

  it('is in no list and no count', async () => {
    for (const path of ['/schedules', '/comparisons', '/configs', '/configs?public_only=true'])
      expect((await bob.get(path)).body).toMatchObject({ items: [], total: 0 })
    expect((await bob.get('/schedules/stats')).body).toMatchObject({ total: 0 })
  })

  it('is a refused subscription on every channel, and a call to nobody', async () => {
    const live = bob.live()
    try {
      const channels = [
        `schedule:${ids['schedule']}`,
        `comparison:${ids['comparison']}`,
        `user:${ada.userId}`,
        `operations:${ada.userId}`,
        `operation:${ids['schedule']}`,
        `operation:${ids['comparison']}`,
        `operation:${ids['comparison']}.given`,
        `schedule:${'0'.repeat(24)}`,
      ]
      for (const name of channels) {
        const refused = await live
          .channel(name)
          .subscribe()
          .catch((error: unknown) => error)
        expect([name, refused]).toEqual([name, expect.any(HoldfastError)])
        expect(['permission_denied', 'not_found']).toContain((refused as HoldfastError).code)
      }
      for (const own of [`user:${bob.userId}`, `operations:${bob.userId}`]) await live.channel(own).subscribe()
      const published = await live
        .channel(`user:${bob.userId}`)
        .publish('changed', {})
        .catch((error: unknown) => error)
      expect((published as HoldfastError).code).toBe('permission_denied')
    } finally {
      live.disconnect()
    }
  })

  it('is not found among the operations of Holdfast either, which answers below the same prefix', async () => {
    const { status } = await bob.get(`/operations/${ids['schedule']}`)
    expect(status).toBe(404)
    expect((await bob.post(`/operations/${ids['schedule']}/cancel`)).status).toBe(404)
    expect((await ada.get(`/operations/${ids['schedule']}`)).body).toMatchObject({
      state: 'completed',
      kind: 'schedule',
    })
  })

  it('is open to nobody without a token: every route asks for one but those that say that they do not', async () => {
    const stranger = nobody
    stranger.token = undefined
    const open: string[] = []
    for (const [method, path, operation] of routes()) {
      if (operation.security?.length === 0) open.push(`${method} ${path}`)
      else {
        const { status } = await stranger.fetch(path.replace('{id}', ids['schedule'] ?? ''), { method })
        expect([method, path, status]).toEqual([method, path, 401])
      }
    }
    expect(open.toSorted()).toEqual([
      'GET /health',
      'POST /api/v1/auth/code',
      'POST /api/v1/auth/login',
      'POST /api/v1/auth/register',
    ])
  })
})
