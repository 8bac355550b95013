import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from './open-store.js'
import { describeStore } from './testing/conformance.js'

describeStore('embedded libSQL', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fill-scheduler-'))
  const again = () => openStore({ file: join(folder, 'fill-scheduler.db') })
  return { store: await again(), again, end: async () => rmSync(folder, { recursive: true }) }
})
