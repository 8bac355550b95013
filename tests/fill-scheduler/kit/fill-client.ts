import { readFile } from 'node:fs/promises'
import { Holdfast } from '@holdfast/client'
import { WebSocket } from 'ws'
import { eventually } from '../../kit/deadline.js'

/** JSON of an answer: tests look into it without ceremony. */
export interface Json {
  readonly [member: string]: unknown
}

/** An answer. */
export interface Answer<T = Json> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

/** A schedule or comparison as far as tests look at it. */
export interface RunState extends Json {
  readonly id: string
  readonly status: string
}

const OVER = ['completed', 'failed', 'cancelled']

/** One user of the REST API. */
export class FillClient {
  readonly url: string
  token: string | undefined
  userId = ''
  email = ''

  constructor(url: string, token?: string) {
    this.url = url
    this.token = token
  }

  /** Opens an account and signs in. */
  async register(email: string, password: string): Promise<void> {
    const { body } = await this.post<{ id: string }>('/auth/register', { email, password })
    this.userId = body.id
    this.email = email
    await this.login(email, password)
  }

  async login(email: string, password: string): Promise<void> {
    const { body } = await this.post<{ access_token: string }>('/auth/login', { email, password })
    this.token = body.access_token
  }

  get<T = Json>(path: string): Promise<Answer<T>> {
    return this.ask('GET', path)
  }

  post<T = Json>(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    return this.ask('POST', path, body, headers)
  }

  put<T = Json>(path: string, body?: unknown): Promise<Answer<T>> {
    return this.ask('PUT', path, body)
  }

  delete<T = Json>(path: string): Promise<Answer<T>> {
    return this.ask('DELETE', path)
  }

  /** Asks below `/api/v1`. Forms go as they are, everything else as JSON. */
  async ask<T = Json>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const isForm = body instanceof FormData || body instanceof URLSearchParams
    const response = await this.fetch(`/api/v1${path}`, {
      method,
      headers: { ...(body !== undefined && !isForm && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: isForm ? body : typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : { text }) as T }
  }

  /** Asks anything, with the token. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (this.token !== undefined) headers.set('authorization', `Bearer ${this.token}`)
    return fetch(`${this.url}${path}`, { ...init, headers })
  }

  /** Begins a schedule of the example lots. */
  async schedule(more: object = {}): Promise<RunState> {
    const { status, body } = await this.post<RunState>('/schedule', { lots_data: await exampleLots(), ...more })
    if (status !== 202) throw new Error(`a schedule was refused: ${JSON.stringify(body)}`)
    return body
  }

  /** Begins a comparison of the example lots. */
  async comparison(more: object = {}): Promise<RunState> {
    const request = { lots_data: await exampleLots(), strategies: ['smart-pack', 'lpt-pack'], ...more }
    const { status, body } = await this.post<RunState>('/compare', request)
    if (status !== 202) throw new Error(`a comparison was refused: ${JSON.stringify(body)}`)
    return body
  }

  /** Waits until a schedule (or comparison) has one of these states; default: until it has ended. */
  reached(path: string, states: readonly string[] = OVER, withinMs: number = 30_000): Promise<RunState> {
    return eventually(
      `${path} is ${states.join(' or ')}`,
      async () => {
        const { body } = await this.get<RunState>(path)
        return states.includes(body.status) && body
      },
      withinMs,
    )
  }

  /** A client of the live side. */
  live(): Holdfast {
    const address = `${this.url.replace('http', 'ws')}/ws`
    return new Holdfast(address, { token: this.token ?? '', WebSocket })
  }
}

/** The 15 example lots as the API takes them. */
export async function exampleLots(): Promise<Json[]> {
  const [, ...rows] = (await exampleCsv()).trim().split(/\r?\n/)
  return rows.map((row) => {
    const [id, type, vials] = row.split(',')
    return { lot_id: id, lot_type: type, vials: Number(vials) }
  })
}

/** The file of the example lots. */
export function exampleCsv(): Promise<string> {
  return readFile(new URL('../../../apps/fill-scheduler/data/example-lots.csv', import.meta.url), 'utf8')
}

/** Lots that keep the improver busy for as long as it may. */
export function manyLots(count: number = 120): Json[] {
  return Array.from({ length: count }, (_, index) => ({
    lot_id: `L${index}`,
    lot_type: `Type${index % 4}`,
    vials: 20_000 + ((index * 7_919_777) % 2_000_000),
  }))
}

/** Lots of JSON as a form with a file. */
export function csvForm(text: string, fields: Record<string, string> = {}, name: string = 'lots.csv'): FormData {
  const form = new FormData()
  for (const [field, value] of Object.entries(fields)) form.append(field, value)
  form.append('csv_file', new Blob([text], { type: 'text/csv' }), name)
  return form
}
