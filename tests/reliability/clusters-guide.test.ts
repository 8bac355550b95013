import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../source-tree.js'

it('the two nodes of the guide do what it says', async () => {
  const page = readFileSync(join(ROOT, 'docs/guides/clusters.md'), 'utf8')
  const [, example = ''] = /^```ts\n([\s\S]*?)^```$/m.exec(page) ?? []
  const folder = join(ROOT, 'tmp', 'clusters-guide')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'two-nodes.ts')
  writeFileSync(file, `${example}\nexport { client, disconnected }\n`)
  const { client, disconnected } = (await import(file)) as { client: { status: string }; disconnected: number }
  expect(page).toContain(`\`disconnected\` is ${disconnected}`)
  expect(disconnected).toBe(1)
  await expect.poll(() => client.status).toBe('failed')
})
