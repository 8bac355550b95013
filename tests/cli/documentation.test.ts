import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COMMANDS } from '../../packages/standalone/src/commands/catalogue.js'
import { type Workplace, createWorkplace } from './command.js'

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))
const SECRET = 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU'

let place: Workplace

beforeAll(async () => {
  place = await createWorkplace()
})

afterAll(() => place?.close())

/** Every command, those below others included. */
async function commandLines(): Promise<string[][]> {
  const found: string[][] = []
  for (const { name } of COMMANDS) {
    const { stdout } = await place.run(name, '--help')
    const [, listed = ''] = /^Commands:\n([\s\S]*?)\n\n/m.exec(stdout) ?? []
    const inner = Array.from(listed.matchAll(/^ {2}([a-z]+)/gm), ([, below = '']) => below)
    found.push(
      ...(inner.length > 0 ? inner.filter((below) => below !== 'help').map((below) => [name, below]) : [[name]]),
    )
  }
  return found
}

describe('the documentation', () => {
  it('shows a configuration file that a server starts with', async () => {
    const page = await readFile(join(DOCS, 'reference/configuration.md'), 'utf8')
    const [, example = ''] = /^## A file\n\n```yaml\n([\s\S]*?)```/m.exec(page) ?? []
    expect(example).toContain('channels:')
    const file = join(place.directory, 'holdfast.yaml')
    await writeFile(file, example)
    const server = place.start('serve', '--config', file, '--host', '127.0.0.1')
    await expect(server.ended).resolves.toMatchObject({ code: 2 })
    place.env['HOLDFAST_SECRET'] = SECRET
    const { running } = await place.serve('--config', file, '--host', '127.0.0.1')
    running.child.kill('SIGKILL')
  })

  it('names every option that the commands have', { timeout: 120_000 }, async () => {
    const page = await readFile(join(DOCS, 'reference/cli.md'), 'utf8')
    for (const command of await commandLines()) {
      const { stdout } = await place.run(...command, '--help')
      const options = [...stdout.matchAll(/^ {2}(?:-h, )?(--[a-z-]+)/gm)].map(([, option = '']) => option)
      const missing = options.filter((option) => option !== '--help' && !new RegExp(`\`[^\`]*${option}\\b`).test(page))
      expect({ command, missing }).toEqual({ command, missing: [] })
    }
  })
})
