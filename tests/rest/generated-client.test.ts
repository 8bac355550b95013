import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Holdfast, createHoldfast, openApiDocument, signToken } from '@holdfast/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from '../source-tree.js'

const run = promisify(execFile)
const SECRET = 'generated-client-secret-of-32-bytes'
const FOLDER = join(ROOT, 'tmp', 'generated-client')

const GENERATOR = join(ROOT, 'tests/rest/generator/node_modules/openapi-typescript/bin/cli.js')
const COMPILER = join(ROOT, 'node_modules/typescript/bin/tsc')

/** What somebody writes who has nothing but the document. */
const PROGRAM = `
import createClient from 'openapi-fetch'
import type { components, paths } from './schema.js'

const { HOLDFAST_URL = '', TOKEN = '' } = process.env
const client = createClient<paths>({
  baseUrl: HOLDFAST_URL + '/api/v1',
  headers: { authorization: 'Bearer ' + TOKEN },
})

function told<T>(answer: { data?: T; error?: components['schemas']['Error'] }): T {
  if (answer.data === undefined) throw new Error(answer.error?.error.message ?? 'nothing was answered')
  return answer.data
}

const operation = 'import-42'
const path = { operation }

const published = told(
  await client.POST('/channels/{channel}/messages', {
    params: { path: { channel: 'room:42' }, header: { 'Idempotency-Key': 'm-1' } },
    body: { event: 'chat', data: { text: 'hello' } },
  }),
)
const offset: number = published.offset
const started = told(await client.POST('/operations', { body: { id: operation, kind: 'import', total: 4, unit: 'rows' } }))
const state: 'running' | 'queued' | string = started.state
const waiting = client.GET('/operations/{operation}', { params: { path, query: { wait: 30 } } })
const reported = told(await client.PATCH('/operations/{operation}', { params: { path }, body: { done: 2 } }))
const done: number = reported.progress.done
await client.POST('/operations/{operation}/complete', { params: { path }, body: { result: { rows: 4 } } })
const ended = told(await waiting)
const listed = told(await client.GET('/operations', { params: { query: { state: 'completed', limit: 10 } } }))
const refused = await client.GET('/operations/{operation}', { params: { path: { operation: 'nothing' } } })
const wrong = await client.POST('/operations', { body: { kind: '' } })

console.log(
  JSON.stringify({
    offset,
    state,
    done,
    ended: ended.state,
    result: ended.result,
    listed: listed.items.map(({ id }) => id),
    refused: refused.error?.error.code,
    wrong: wrong.error?.error.field,
  }),
)
`

const CONFIGURATION = {
  extends: '../../tsconfig.test.json',
  compilerOptions: { noEmit: false, outDir: './out', rootDir: '.', customConditions: [] },
  include: ['*.ts'],
}

/** Output of a program of this machine; what it complains of is the message when it fails. */
async function node(...words: string[]): Promise<string> {
  return run(process.execPath, words, { cwd: FOLDER }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string; stderr: string }) => {
      throw new Error(`${error.stdout}${error.stderr}`)
    },
  )
}

describe('a client that a public generator makes of the OpenAPI document', () => {
  let holdfast: Holdfast

  beforeAll(async () => {
    holdfast = createHoldfast({
      auth: { secret: SECRET },
      channels: { 'room:*': { publish: 'member', history: { size: 10, ttl: '1h' } } },
    })
    rmSync(FOLDER, { recursive: true, force: true })
    mkdirSync(FOLDER, { recursive: true })
    writeFileSync(join(FOLDER, 'openapi.json'), JSON.stringify(openApiDocument()))
    writeFileSync(join(FOLDER, 'package.json'), JSON.stringify({ type: 'module' }))
    writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(CONFIGURATION))
    writeFileSync(join(FOLDER, 'program.ts'), PROGRAM)
    await node(GENERATOR, 'openapi.json', '--output', 'schema.ts')
    await node(COMPILER, '-p', '.', '--pretty', 'false')
  })

  afterAll(() => holdfast.close())

  it('publishes, begins, reports, waits, completes and lists', async () => {
    const { host, port } = await holdfast.listen()
    const TOKEN = signToken({ secret: SECRET, tenant: 'acme', user: 'ada', permissions: ['operations'] })
    const env = { ...process.env, HOLDFAST_URL: `http://${host}:${port}`, TOKEN }
    const { stdout } = await run(process.execPath, [join(FOLDER, 'out/program.js')], { env })
    expect(JSON.parse(stdout)).toEqual({
      offset: 1,
      state: 'running',
      done: 2,
      ended: 'completed',
      result: { rows: 4 },
      listed: ['import-42'],
      refused: 'not_found',
      wrong: 'kind',
    })
  })
})
