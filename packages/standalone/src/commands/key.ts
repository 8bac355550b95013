import { createHash } from 'node:crypto'
import { createApiKey } from '@holdfast/server'
import type { Command } from 'commander'
import { EXIT, Failure } from '../failure.js'
import type { Shell } from '../shell.js'
import { printJson, printTable, wantsJson } from './answer-output.js'
import { type Api, Refusal, Unreachable, apiOf, because } from './api.js'
import { type CommandContext, type Declare, addRemoteOptions, collect, examples } from './command.js'
import { insist } from './operation/insist.js'
import { type RemoteOptions, type Rights, findServer } from './server-access.js'

interface KeyOptions extends RemoteOptions {
  readonly json?: boolean
}

/** What the list tells of a key. */
interface KeyInfo {
  readonly id: string
  readonly name: string
  readonly grants: Readonly<Record<string, readonly string[]>>
  readonly permissions: readonly string[]
  readonly createdAt: string
  readonly rotatedAt?: string
  readonly expiresAt?: string
}

interface NewKey {
  readonly id: string
  readonly key: string
}

/** `holdfast key`, with a command for each thing that can be done with API keys. */
export const declareKey: Declare = (command, context) => {
  command.addHelpText(
    'after',
    examples(
      'holdfast key create importer --permission operations --tenant acme',
      'holdfast key list --tenant acme',
      'holdfast key make --tenant acme --permission operations',
    ),
  )
  for (const declare of [create, list, rotate, revoke, make, hash]) declare(command, context)
}

interface CreateOptions extends KeyOptions {
  readonly grant?: readonly string[]
  readonly permission?: readonly string[]
  readonly expiresIn?: string
}

function create(parent: Command, context: CommandContext): void {
  const command = rights(parent.command('create').description('make a key; it is shown this once'))
    .argument('<name>', 'for people')
    .option('--expires-in <duration>', 'how long it lives: 90d (default: until it is revoked)')
  finish(command, `importer --grant 'room:*=publish' --permission operations`).action(
    async (name: string, options: CreateOptions) => {
      const { expiresIn } = options
      const may = rightsOf(options)
      const made = await ask<NewKey>('no key made', options, context, may, (api) =>
        insist(api, {
          method: 'POST',
          path: ['keys'],
          body: { name, grants: may.grants, permissions: may.permissions, expiresIn },
        }),
      )
      printKey(made, options, context.shell)
    },
  )
}

function list(parent: Command, context: CommandContext): void {
  const command = parent.command('list').description('list the keys of a tenant; their secrets are kept nowhere')
  finish(command, '--tenant acme').action(async (options: KeyOptions) => {
    const keys = await ask('keys not listed', options, context, {}, listed)
    if (wantsJson(options, context.shell)) for (const key of keys) printJson(key, context.shell)
    else printTable(['ID', 'NAME', 'GRANTS', 'PERMISSIONS', 'MADE', 'EXPIRES'], keys.map(rowOf), context.shell)
  })
}

async function listed(api: Api): Promise<readonly KeyInfo[]> {
  const keys: KeyInfo[] = []
  let cursor: string | undefined
  do {
    const page = await api.ask<{ items: KeyInfo[]; next?: string }>({ path: ['keys'], query: { limit: 100, cursor } })
    keys.push(...page.items)
    cursor = page.next
  } while (cursor !== undefined)
  return keys
}

function rowOf({ id, name, grants, permissions, createdAt, expiresAt }: KeyInfo): readonly string[] {
  const granted = Object.entries(grants).map(([channel, verbs]) => `${channel}=${verbs.join(',')}`)
  return [
    id,
    name,
    granted.join(' '),
    permissions.join(' '),
    createdAt.slice(0, 10),
    expiresAt?.slice(0, 10) ?? 'never',
  ]
}

function rotate(parent: Command, context: CommandContext): void {
  const command = parent
    .command('rotate')
    .description('give a key a new secret; it is shown this once')
    .argument('<id>', 'id of the key')
    .option('--overlap <duration>', 'how long the old one works (default 1h; 0s: no longer)')
  finish(command, '0123456789abcdef --overlap 1h').action(
    async (id: string, options: KeyOptions & { overlap?: string }) => {
      // Who may less than a key cannot rotate it: a token that is made here may just as much.
      const key = (await ask('keys not listed', options, context, {}, listed)).find((one) => one.id === id)
      const made = await ask<NewKey>(`${id} not rotated`, options, context, key ?? {}, (api) =>
        insist(api, { method: 'POST', path: ['keys', id, 'rotate'], body: { overlap: options.overlap } }),
      )
      printKey(made, options, context.shell)
    },
  )
}

function revoke(parent: Command, context: CommandContext): void {
  const command = parent
    .command('revoke')
    .description('end a key, and the connections that came with it')
    .argument('<id>', 'id of the key')
  finish(command, '0123456789abcdef').action(async (id: string, options: KeyOptions) => {
    await ask(`${id} not revoked`, options, context, {}, (api) => revoked(api, id))
    if (wantsJson(options, context.shell)) printJson({ id, revoked: true }, context.shell)
    else context.shell.stdout.write(`key ${id} is revoked\n`)
  })
}

/** Where an answer was lost it may be gone already. */
async function revoked(api: Api, id: string): Promise<void> {
  const request = { method: 'DELETE', path: ['keys', id] } as const
  try {
    await api.ask(request)
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    await insist(api, request).catch((again: unknown) => {
      if (!(again instanceof Refusal && again.code === 'not_found')) throw again
    })
  }
}

function make(parent: Command, { shell }: CommandContext): void {
  rights(parent.command('make').description('make a key for the configuration, without a server'))
    .requiredOption('--tenant <tenant>', 'tenant that the key is for')
    .option('--json', 'id, key and hash as JSON, also on a terminal')
    .addHelpText('after', examples(`holdfast key make --tenant acme --grant 'room:*=publish' --permission operations`))
    .action((options: CreateOptions & { tenant: string }) => {
      const made = createApiKey()
      const { grants, permissions } = rightsOf(options)
      const entry = {
        id: made.id,
        hash: made.hash,
        tenant: options.tenant,
        grants,
        ...(permissions.length > 0 && { permissions }),
      }
      if (wantsJson(options, shell)) return printJson({ ...entry, key: made.key }, shell)
      shell.stderr.write('The key, shown this once:\n')
      shell.stdout.write(`${made.key}\n`)
      shell.stderr.write(`\nIn the configuration:\n\nauth:\n  apiKeys:\n    - ${JSON.stringify(entry)}\n`)
    })
}

function hash(parent: Command, { shell }: CommandContext): void {
  parent
    .command('hash')
    .description('print what the configuration keeps of a key that exists, read from HOLDFAST_KEY or standard input')
    .addHelpText('after', examples('holdfast key hash < importer.key', 'HOLDFAST_KEY=hf_… holdfast key hash'))
    .action(async () => {
      const text = (shell.env['HOLDFAST_KEY'] || (await shell.readInput())).trim()
      const [, id, secret = ''] = /^hf_([A-Za-z0-9]{8,64})_([A-Za-z0-9_-]{43,128})$/.exec(text) ?? []
      if (id === undefined)
        throw new Failure(
          `the key must have the form hf_<id>_<secret>, received ${text.length} other characters`,
          EXIT.usage,
        )
      printJson({ id, hash: `sha256:${createHash('sha256').update(secret).digest('hex')}` }, shell)
    })
}

function rights(command: Command): Command {
  return command
    .option(
      '--grant <channel=verbs>',
      'what it may on a channel or pattern, such as room:*=publish,history (may be repeated)',
      collect,
    )
    .option('--permission <name>', 'what it may besides, such as operations (may be repeated)', collect)
}

function rightsOf({ grant = [], permission = [] }: CreateOptions): Required<Pick<KeyInfo, 'grants' | 'permissions'>> {
  return { grants: Object.fromEntries(grant.map(readGrant)), permissions: permission }
}

function readGrant(text: string): [string, string[]] {
  const [, channel, verbs] = /^([^=]+)=([a-z]+(?:,[a-z]+)*)$/.exec(text) ?? []
  if (channel !== undefined && verbs !== undefined) return [channel, verbs.split(',')]
  throw new Failure(
    `--grant must be a channel and verbs such as room:*=publish,history, received ${JSON.stringify(text)}`,
    EXIT.usage,
  )
}

/** Asks with a token that may what the key may: nobody makes one that may more. */
async function ask<T>(
  what: string,
  options: KeyOptions,
  { shell }: CommandContext,
  may: Rights,
  question: (api: Api) => Promise<T>,
): Promise<T> {
  const { grants, permissions = [] } = may
  const access = await findServer(options, shell, {
    permissions: ['keys', ...permissions.filter((name) => name !== 'keys')],
    ...(grants && { grants }),
  })
  try {
    // An answer that holds a secret is given again to the same credential alone.
    const credential = access.credential()
    return await question(apiOf({ ...access, credential: () => credential }))
  } catch (error) {
    throw because(what, error)
  }
}

function printKey(made: NewKey, options: KeyOptions, shell: Shell): void {
  if (wantsJson(options, shell)) return printJson(made, shell)
  shell.stderr.write(`Key ${made.id}, shown this once:\n`)
  shell.stdout.write(`${made.key}\n`)
}

function finish(command: Command, example: string): Command {
  command.option('--json', 'JSON, also on a terminal')
  return addRemoteOptions(command).addHelpText('after', examples(`holdfast key ${command.name()} ${example}`))
}
