import { describe, expect, it } from 'vitest'
import type { OperationDesk } from './desk.js'
import { readWord } from './left-word.js'

const limits = { jsonDepthMax: 8, objectKeysMax: 16, dataBytesMax: 1_000 }
const about = { tenant: 'acme', operation: 'import-42' }

type Call = readonly [method: string, ...parts: unknown[]]

/** What a report asks of the desk. */
async function askedOf(fields: Record<string, string>, stored: boolean = false): Promise<Call> {
  const calls: Call[] = []
  const desk = new Proxy({} as OperationDesk, {
    get:
      (_desk, method) =>
      (...parts: unknown[]) =>
        Promise.resolve(void calls.push([String(method), ...parts])),
  })
  await readWord({ entry: '7-1', fields: { ...about, ...fields } }, limits).act(desk, stored)
  const [call] = calls
  if (call === undefined) throw new Error('nothing was asked')
  return call
}

describe('a report that was left', () => {
  it.each<[string, Record<string, string>, Call]>([
    [
      'begins an operation',
      { do: 'create', data: '{"kind": "import", "owner": "u7", "total": 10}' },
      ['create', 'acme', { kind: 'import', owner: 'u7', total: 10, id: 'import-42' }, { entry: '7-1' }],
    ],
    [
      'tells of progress',
      { do: 'report', data: '{"done": 5, "attempt": 2}' },
      ['report', 'acme', 'import-42', { done: 5, attempt: 2, entry: '7-1' }, { stored: false }],
    ],
    ['says that the worker lives', { do: 'heartbeat' }, ['heartbeat', 'acme', 'import-42', { entry: '7-1' }]],
    [
      'takes an operation',
      { do: 'attempt', data: '{"force": true}' },
      ['attempt', 'acme', 'import-42', { force: true, entry: '7-1' }],
    ],
    [
      'completes an operation',
      { do: 'complete', data: '{"result": null}' },
      ['end', 'acme', 'import-42', { result: null, entry: '7-1', state: 'completed' }],
    ],
    [
      'fails an operation',
      { do: 'fail', data: '{"error": {"message": "no file"}}' },
      ['end', 'acme', 'import-42', { error: { message: 'no file' }, entry: '7-1', state: 'failed' }],
    ],
    [
      'ends one that was cancelled',
      { do: 'cancelled' },
      ['end', 'acme', 'import-42', { entry: '7-1', state: 'cancelled' }],
    ],
  ])('%s', async (_title, fields, call) => {
    expect(await askedOf(fields)).toEqual(call)
  })

  it.each<[string, Record<string, string>, string]>([
    ['names no tenant', { tenant: '', do: 'report' }, 'tenant must be the name of a tenant'],
    ['names no operation', { operation: '', do: 'report' }, 'operation must be 1 to 128 of A-Z a-z 0-9 _ . @ ~ + = -'],
    ['does what there is not', { do: 'toString' }, 'do must be one of create, report, heartbeat'],
    ['has a field that nobody knows', { do: 'report', user: 'u7' }, 'user is not a field of a report'],
    ['holds no JSON', { do: 'report', data: 'done=5' }, 'data is not JSON'],
    ['holds no object', { do: 'report', data: '[1]' }, 'data must be a JSON object'],
    ['says a thing twice', { do: 'report', data: '{"done": 1, "done": 2}' }, 'data: done stands twice'],
    ['has a member that nobody knows', { do: 'report', data: '{"doen": 5}' }, 'data: doen is not a member'],
    ['names an entry of its own', { do: 'report', data: '{"entry": "9-9"}' }, 'data: entry is not a member'],
    ['has a member that is wrong', { do: 'report', data: '{"percent": 101}' }, 'data: percent must be at most 100'],
    ['begins for nobody', { do: 'create', data: '{"kind": "import"}' }, 'data.owner is missing'],
    [
      'begins another',
      { do: 'create', data: '{"kind": "i", "owner": "u", "id": "x"}' },
      'data.id must be the operation',
    ],
    ['is too deep', { do: 'complete', data: `{"result": ${'['.repeat(20)}${']'.repeat(20)}}` }, 'data'],
    [
      'is too long',
      { do: 'report', data: JSON.stringify({ message: 'x'.repeat(2_000) }) },
      'data must be at most 1000 bytes',
    ],
  ])('is refused when it %s', async (_title, fields, message) => {
    await expect(askedOf(fields)).rejects.toMatchObject({
      name: 'HoldfastError',
      message: expect.stringContaining(message) as string,
    })
  })
})
