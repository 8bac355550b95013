import { signToken } from '@holdfast/server'
import { SECRET } from '../kit/server-process.js'

/** What one tenant has over HTTP that others could ask for. */
export interface RestTraces {
  readonly connection: string
  readonly key: string
  readonly cursor: string
}

/** Asks the REST API of a node for a tenant, and keeps everything that it answers. */
export class RestVisitor {
  readonly #base: string
  readonly #token: string
  readonly #told: string[]

  /** `url` is that of the WebSocket. */
  constructor(url: string, tenant: string, told: string[]) {
    this.#base = `${url.replace(/^ws/, 'http').replace(/\/ws$/, '')}/api/v1`
    const permissions = ['operations', 'notify', 'channels', 'connections', 'revoke', 'stats', 'keys']
    this.#token = signToken({ secret: SECRET, tenant, user: 'ann', permissions, grants: { 'room:*': ['publish'] } })
    this.#told = told
  }

  /** Resolves to the status and what was answered. */
  async ask(line: string, body?: object): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
    const answer = await this.#answered(line, body)
    const text = await answer.text()
    this.#told.push(...[...answer.headers].flat(), text)
    // The engine did not answer in time: any client asks again.
    if (answer.status === 503) return this.ask(line, body)
    return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> }
  }

  #answered(line: string, body?: object): Promise<Response> {
    const [method = '', path = ''] = line.split(' ')
    return fetch(this.#base + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', 'idempotency-key': line },
      ...(body && { body: JSON.stringify(body) }),
    })
  }

  /** Something on every route that a tenant has. */
  async live(mark: string): Promise<RestTraces> {
    await this.ask('POST /channels/room:rest/messages', { data: { mark }, key: 'the-same-key' })
    await this.ask('POST /publish', { messages: [{ channel: 'room:rest', data: { mark, n: 2 } }] })
    await this.ask('POST /channels/room:rest/signals', { event: 'typing', data: { mark } })
    await this.ask('POST /users/ann/notifications', { id: 'rest-same-id', title: mark })
    await this.ask('POST /operations', { id: 'rest-job', kind: 'import', label: mark })
    await this.ask('PATCH /operations/rest-job', { message: mark })
    await this.ask('POST /operations/rest-job/complete', { result: { mark } })
    const { body: made } = await this.ask('POST /keys', { name: mark, grants: { 'room:*': ['publish'] } })
    for (const path of ['channels/room:rest/messages', 'channels/room:main/presence', 'operations', 'operations/job'])
      await this.ask(`GET /${path}`)
    for (const path of ['channels', 'connections', 'stats', 'limits', 'keys', 'notifications/rest-same-id'])
      await this.ask(`GET /${path}`)
    const { body: page } = await this.ask('GET /channels?limit=1')
    const { body: connections } = await this.ask('GET /connections?user=bob')
    const [bob] = connections['items'] as { id: string }[]
    return { connection: bob?.id ?? '', key: String(made['id']), cursor: String(page['next']) }
  }

  /** Tries what another tenant has; answers the statuses. */
  async trespass({ connection, key, cursor }: RestTraces): Promise<readonly number[]> {
    const tries = [
      `DELETE /connections/${connection}`,
      `DELETE /keys/${key}`,
      `POST /keys/${key}/rotate`,
      `GET /channels?limit=1&cursor=${cursor}`,
    ]
    const answers = await Promise.all(tries.map((line) => this.ask(line)))
    return answers.map(({ status }) => status)
  }
}
