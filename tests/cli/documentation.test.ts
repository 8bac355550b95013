import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everyCommand } from '../../packages/standalone/src/commands/catalogue.js'
import { processShell } from '../../packages/standalone/src/shell.js'
import { type Workplace, createWorkplace } from './command.js'

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))
const SECRET = 'kT9v3Qz1rW8uYb5nXe2sLd7fHj4gMp6aCw0iOqRtEyU'

let place: Workplace

beforeAll(async () => {
  place = await createWorkplace()
})

afterAll(() => place?.close())

/** Every option of a command and of those below it, by the words that call it. */
function optionsOf(
  command: Awaited<ReturnType<typeof everyCommand>>,
  path: readonly string[] = [],
): [string, string[]][] {
  const own = command.options.map(({ long }) => long ?? '').filter((long) => long !== '--help')
  return [[path.join(' '), own], ...command.commands.flatMap((inner) => optionsOf(inner, [...path, inner.name()]))]
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

  it('names every option that the commands have', async () => {
    const page = await readFile(join(DOCS, 'reference/cli.md'), 'utf8')
    const program = await everyCommand({ shell: processShell(), end: () => {} })
    const found = optionsOf(program)
    expect(found.flatMap(([, options]) => options).length).toBeGreaterThan(100)
    const isNamed = (option: string): boolean => new RegExp(`\`[^\`]*${option}\\b`).test(page)
    const missing = found.flatMap(([name, options]) =>
      options.filter((option) => !isNamed(option)).map((option) => `${name} ${option}`),
    )
    expect(missing).toEqual([])
    expect(program.commands.filter((command) => !page.includes(`## \`holdfast ${command.name()}`))).toEqual([])
  })
})
