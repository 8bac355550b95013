import type { OperationSnapshot } from '@holdfast/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import type { LeftReport, RefusedReport, Reports } from '../engine/engine.js'
import { MemoryEngine } from '../engine/memory/memory-engine.js'
import { interruptedEngine, type InterruptedEngine } from '../testing/interrupted-engine.js'
import { type TestNode, startNode } from '../testing/test-node.js'

type Fields = Readonly<Record<string, string>>

/** A place where reports are left, from which the test itself hands them over. */
class Tray implements Reports {
  readonly refused: RefusedReport[] = []
  #take: Parameters<Reports['consume']>[1] | undefined
  #entries = 0

  consume(_node: string, take: Parameters<Reports['consume']>[1]): () => Promise<void> {
    this.#take = take
    return async () => void (this.#take = undefined)
  }

  async refuse(refused: readonly RefusedReport[]): Promise<void> {
    this.refused.push(...refused)
  }

  /** Reports with entries, to be handed over once or more than once. */
  batch(...all: Fields[]): readonly LeftReport[] {
    return all.map((fields) => ({ entry: `${(this.#entries += 1)}-0`, fields: { tenant: 'acme', ...fields } }))
  }

  async hand(reports: readonly LeftReport[], behind: number = 0): Promise<void> {
    if (this.#take === undefined) throw new Error('nobody reads')
    await this.#take(reports, behind)
  }
}

interface Setup extends Pick<InterruptedEngine, 'cut' | 'heal'> {
  readonly tray: Tray
  readonly node: TestNode
  get(id: string): Promise<OperationSnapshot | undefined>
}

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function setUp(memory: MemoryEngine = new MemoryEngine()): Promise<Setup> {
  const tray = new Tray()
  const { engine, cut, heal } = interruptedEngine(memory)
  const node = await startNode({ engine: { ...engine, reports: tray } })
  closing.push(() => node.close())
  return { tray, node, cut, heal, get: (id) => node.holdfast.tenant('acme').operations.get(id) }
}

const create = (operation: string, more: object = {}): Fields => ({
  operation,
  do: 'create',
  data: JSON.stringify({ kind: 'import', owner: 'u7', ...more }),
})
const advance = (operation: string, by: number = 1): Fields => ({ operation, do: 'report', data: `{"advance": ${by}}` })
const complete = (operation: string, data: string = '{}'): Fields => ({ operation, do: 'complete', data })

describe('the reader of reports', () => {
  it('takes reports of many operations to their ends, those of each in order', async () => {
    const { tray, get, node } = await setUp()
    const ids = Array.from({ length: 20 }, (_, at) => `op-${at}`)
    const steps = [create, advance, advance, advance, (id: string) => complete(id, '{"result": 1}')]
    await tray.hand(tray.batch(...steps.flatMap((step) => ids.map((id) => step(id)))))
    for (const id of ids)
      expect(await get(id)).toMatchObject({ state: 'completed', progress: { done: 3 }, result: 1, attempt: 1 })
    expect(tray.refused).toEqual([])
    expect(node.holdfast.stats().reports).toEqual({ read: 100, refused: 0, behind: 0 })
  })

  it('is done with a batch when all of it is stored, and not before', async () => {
    const { tray, get } = await setUp()
    await tray.hand(tray.batch(create('import'), advance('import'), advance('import', 4)))
    expect((await get('import'))?.progress.done).toBe(5)
    await tray.hand(tray.batch(advance('import'), { operation: 'import', do: 'heartbeat' }))
    expect((await get('import'))?.progress.done).toBe(6)
    await tray.hand(tray.batch(advance('import'), { operation: 'import', do: 'report', data: '{"percent": 200}' }))
    expect((await get('import'))?.progress.done).toBe(7)
  })

  it('does nothing twice of what it is given again', async () => {
    const { tray, get } = await setUp()
    const [first, second] = [
      tray.batch(create('import'), advance('import'), advance('import')),
      tray.batch(advance('import', 10), advance('import', 10), complete('import')),
    ]
    await tray.hand(first)
    await tray.hand(first)
    expect((await get('import'))?.progress.done).toBe(2)
    await tray.hand([...first.slice(2), ...second.slice(0, 2)])
    await tray.hand([...first, ...second])
    await tray.hand([...first, ...second])
    expect(await get('import')).toMatchObject({ state: 'completed', progress: { done: 22 }, attempt: 1 })
    expect(tray.refused).toEqual([])
  })

  it('puts aside what makes no sense or comes at the wrong time, in order, and goes on with the rest', async () => {
    const { tray, get, node } = await setUp()
    const batch = tray.batch(
      { operation: 'x', do: 'dance' },
      create('import'),
      advance('nobodys'),
      create('import', { kind: 'other' }),
      complete('import'),
      advance('import'),
      { operation: 'import', do: 'fail', data: '{"error": {"message": "no"}}' },
    )
    await tray.hand(batch, 3)
    expect((await get('import'))?.state).toBe('completed')
    expect(tray.refused.map(({ entry, code }) => [entry, code])).toEqual([
      ['1-0', 'bad_request'],
      ['3-0', 'not_found'],
      ['4-0', 'bad_request'],
      ['6-0', 'already_ended'],
      ['7-0', 'already_ended'],
    ])
    expect(node.holdfast.stats().reports).toEqual({ read: 7, refused: 5, behind: 3 })
  })

  it('begins what is a part of what began before it, and ends a whole whose parts ended before it', async () => {
    const { tray, get } = await setUp()
    const parts = ['p1', 'p2', 'p3']
    await tray.hand(
      tray.batch(
        create('whole'),
        ...parts.map((part) => create(part, { parent: 'whole' })),
        ...parts.map((part) => complete(part)),
        complete('whole'),
      ),
    )
    expect(tray.refused).toEqual([])
    expect((await get('whole'))?.state).toBe('completed')
  })

  it('is not done with a batch while the engine is away, and does all of it once when it is back', async () => {
    const { tray, get, cut, heal } = await setUp()
    await tray.hand(tray.batch(create('import')))
    const batch = tray.batch(advance('import'), advance('import'), create('other'))
    cut()
    await expect(tray.hand(batch)).rejects.toMatchObject({ code: 'engine_unavailable' })
    heal()
    await tray.hand(batch)
    expect((await get('import'))?.progress.done).toBe(2)
    expect((await get('other'))?.state).toBe('running')
    expect(tray.refused).toEqual([])
  })

  it('counts each report once where two nodes have got the same, and one of them comes late with several in one', async () => {
    const memory = new MemoryEngine()
    const [late, next] = [await setUp(memory), await setUp(memory)]
    const reports = late.tray.batch(create('import'), advance('import'), advance('import', 10), advance('import', 100))
    await late.tray.hand(reports.slice(0, 1))
    late.cut()
    await expect(late.tray.hand(reports)).rejects.toMatchObject({ code: 'engine_unavailable' })
    await next.tray.hand(reports.slice(0, 3))
    late.heal()
    await late.tray.hand(reports)
    expect((await next.get('import'))?.progress.done).toBe(111)
    await next.tray.hand([...reports, ...late.tray.batch(advance('import', 1_000))])
    expect((await next.get('import'))?.progress.done).toBe(1_111)
    expect([...late.tray.refused, ...next.tray.refused]).toEqual([])
  })

  it('begins an operation once where two nodes have got the same report', async () => {
    const memory = new MemoryEngine()
    const [one, other] = [await setUp(memory), await setUp(memory)]
    const ids = Array.from({ length: 50 }, (_, at) => `op-${at}`)
    const batch = one.tray.batch(...ids.map((id) => create(id)), ...ids.map((id) => advance(id)))
    await Promise.all([one.tray.hand(batch), other.tray.hand(batch)])
    for (const id of ids) expect(await one.get(id)).toMatchObject({ progress: { done: 1 }, attempt: 1 })
    expect([...one.tray.refused, ...other.tray.refused]).toEqual([])
  })

  it('reads nothing where it is switched off', async () => {
    const tray = new Tray()
    const node = await startNode({
      engine: Object.assign(new MemoryEngine(), { reports: tray }),
      operations: { reports: false },
    })
    closing.push(() => node.close())
    await expect(tray.hand([])).rejects.toThrow('nobody reads')
    expect(node.holdfast.stats().reports).toBeUndefined()
  })
})
