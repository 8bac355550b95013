import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiskEngine } from '@holdfast/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../clock.js'
import { diskFindings } from './disk-findings.js'
import type { Finding } from './finding.js'

const finding = (findings: readonly Finding[], check: string): Finding | undefined =>
  findings.find((one) => one.check === check)

describe('doctor looks at the disk', () => {
  it('says nothing of a journal where there never was one, then how much it holds, and what was found damaged', async () => {
    const place = mkdtempSync(join(tmpdir(), 'holdfast-doctor-'))
    onTestFinished(() => rmSync(place, { recursive: true, force: true }))
    const directory = join(place, 'engine')
    const before = await diskFindings(directory, systemClock)
    expect(before.map(({ check }) => check)).toEqual(['disk', 'disk sync', 'disk space'])
    for (let start = 0; start < 2; start += 1) {
      const engine = new DiskEngine({ dir: directory })
      await engine.start()
      await engine.records.put('a', 'x'.repeat(5_000), { ttlMs: 60_000 })
      await engine.close()
    }
    const well = await diskFindings(directory, systemClock)
    expect(finding(well, 'disk journal')?.message).toMatch(/^10 kB in 2 files, stored \d/)
    expect(finding(well, 'disk damage')).toBeUndefined()
    const [segment = ''] = (await readdir(directory)).filter((name) => name.endsWith('.log')).toSorted()
    renameSync(join(directory, segment), join(directory, `${segment}.damaged`))
    const ill = await diskFindings(directory, systemClock)
    expect(finding(ill, 'disk damage')).toMatchObject({
      state: 'warn',
      message: `${segment}.damaged was found damaged, and set aside`,
    })
  })
})
