import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ROOT } from '../../source-tree.js'
import { History, readHistory } from './history.js'

describe('a history', () => {
  let folder: string
  let file: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-history-'))
    file = join(folder, 'history.jsonl')
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('holds what several wrote, each in its order', () => {
    const writers = ['one', 'other'].map((by) => new History(file, by))
    for (let round = 0; round < 3_000; round += 1)
      for (const writer of writers) writer.note({ t: 'gone', client: `c${round}` })
    for (const writer of writers) writer.close()
    const facts = [...readHistory(file)]
    expect(facts).toHaveLength(6_000)
    for (const by of ['one', 'other']) {
      const clients = facts.filter((fact) => fact.by === by).map((fact) => (fact.t === 'gone' ? fact.client : ''))
      expect(clients).toEqual(Array.from({ length: 3_000 }, (_, round) => `c${round}`))
    }
  })

  it('leaves out a line that its writer did not finish', () => {
    const history = new History(file, 'one')
    history.note({ t: 'gone', client: 'grüße' })
    history.close()
    appendFileSync(file, '{"t":"gone","cli')
    expect([...readHistory(file)]).toMatchObject([{ t: 'gone', client: 'grüße', by: 'one' }])
  })

  it('is judged on the command line', async () => {
    const judge = (): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, [join(ROOT, 'tests', 'cluster', 'run.mjs'), 'check', file])
    writeFileSync(file, '')
    expect((await judge()).stdout).toContain('no violation')
    appendFileSync(file, '{"t":"exit","process":"n1","status":"1","expected":false,"at":1,"by":"n1"}\n')
    await expect(judge()).rejects.toMatchObject({ code: 1, stdout: expect.stringContaining('I12  n1 ended: 1') })
  })
})
