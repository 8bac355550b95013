import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, onTestFinished } from 'vitest'
import { SimulatedClock } from '../../simulated-clock.js'
import { describeEngine } from '../conformance/suite.js'
import { DiskEngine } from './disk-engine.js'
import { SimulatedStorage } from './simulated-storage.js'

describe('on a directory', () => {
  describeEngine('disk', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'holdfast-disk-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const clock = new SimulatedClock()
    return { engine: new DiskEngine({ dir }, { clock }), pass: (ms) => clock.pass(ms) }
  })
})

describe('on a simulated disk, with small segments and snapshots all the time', () => {
  describeEngine('disk', async () => {
    const clock = new SimulatedClock()
    const options = { dir: '', segmentBytesMax: 2_000, compactBytesMin: 5_000 }
    const engine = new DiskEngine(options, { clock, storage: new SimulatedStorage() })
    return { engine, pass: (ms) => clock.pass(ms) }
  })
})
