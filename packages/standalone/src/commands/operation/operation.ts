import { type OperationSnapshot, OPERATION_STATES } from '@holdfast/protocol'
import type { Command } from 'commander'
import { EXIT, Failure } from '../../failure.js'
import type { Shell } from '../../shell.js'
import { printJson, printSnapshot, printTable, snapshotRow, wantsJson } from '../answer-output.js'
import { type Api, type ApiRequest, apiOf, because } from '../api.js'
import { type CommandContext, type Declare, addRemoteOptions, collect, examples } from '../command.js'
import { readJsonText } from '../json-argument.js'
import { amountOption, wholeOption } from '../number-option.js'
import { type RemoteOptions, findServer } from '../server-access.js'
import { insist } from './insist.js'
import { type SpecOptions, addSpecOptions, specOf } from './spec-options.js'

/** What every command about operations takes. */
interface OperationOptions extends RemoteOptions {
  readonly json?: boolean
}

interface WordOptions extends OperationOptions {
  readonly attempt?: number
  readonly sequence?: number
}

/** `holdfast operation`, with a command for each thing that can be done with operations. */
export const declareOperation: Declare = (command, context) => {
  command.addHelpText('after', examples(...EXAMPLES))
  for (const declare of [start, report, heartbeat, complete, fail, cancelled, attempt, cancel, list, show])
    declare(command, context)
}

const EXAMPLES = [
  'id=$(holdfast operation start --kind import --total 1200 --unit rows)',
  'holdfast operation report "$id" --done 340 --item customers.csv',
  'holdfast operation complete "$id" --result \'{"imported":1200}\'',
  'holdfast operation list --state running',
]

/** Does what a command is for, and answers with its exit code. */
type Act<O> = (api: Api, options: O, shell: Shell) => Promise<number>

async function withApi<O extends OperationOptions>(
  what: string,
  options: O,
  { shell, end }: CommandContext,
  act: Act<O>,
): Promise<void> {
  const access = await findServer(options, shell, { permissions: ['operations'] })
  try {
    end(await act(apiOf(access), options, shell))
  } catch (error) {
    throw because(what, error)
  }
}

function start(parent: Command, context: CommandContext): void {
  const command = parent
    .command('start')
    .description('begin an operation, and print its id and nothing else')
    .argument('[id]', 'its id (default: one is made)')
  addSpecOptions(command).option('--queued', 'it waits for a worker, who begins it as an attempt')
  finish(command, '--kind import --label "Customers" --total 1200 --unit rows', 'the snapshot as JSON').action(
    (id: string | undefined, options: OperationOptions & SpecOptions & { queued?: boolean }) =>
      withApi('not started', options, context, async (api, { kind = 'task', queued, json }, shell) => {
        const spec = { ...specOf(options), ...(id !== undefined && { id }), kind, ...(queued && { queued }) }
        const snapshot = await insist<OperationSnapshot>(api, { method: 'POST', path: ['operations'], body: spec })
        if (json) printJson(snapshot, shell)
        else shell.stdout.write(`${snapshot.id}\n`)
        return EXIT.done
      }),
  )
}

interface ReportOptions extends WordOptions {
  readonly done?: number
  readonly advance?: number
  readonly total?: number
  readonly percent?: number
  readonly unit?: string
  readonly item?: string
  readonly message?: string
  readonly phase?: string
  readonly state?: string
}

function report(parent: Command, context: CommandContext): void {
  const command = parent
    .command('report')
    .description('say how far an operation is')
    .argument('<id>', 'id of the operation')
    .option('--done <amount>', 'units done', amountOption)
    .option('--advance <amount>', 'units more than before', amountOption)
    .option('--total <amount>', 'units there are', amountOption)
    .option('--percent <percent>', '0 to 100, where nothing is counted', amountOption)
    .option('--unit <unit>', 'what is counted')
    .option('--item <text>', 'what is being worked on')
    .option('--message <text>', 'what is to be said')
    .option('--phase <name>', 'the step that it is in')
    .option('--state <state>', 'running or waiting')
  word(finish(command, 'import-42 --done 340 --item customers.csv')).action((id: string, options: ReportOptions) => {
    const { done, advance, total, percent, unit, item, message, phase, state } = options
    const body = { done, advance, total, percent, unit, item, message, phase, state }
    if (Object.values(body).every((value) => value === undefined))
      throw new Failure(
        'report must be given what there is to say, such as --done 340; a sign of life is heartbeat',
        EXIT.usage,
      )
    return speak(id, 'not reported', options, context, { method: 'PATCH', body })
  })
}

function heartbeat(parent: Command, context: CommandContext): void {
  const command = parent
    .command('heartbeat')
    .description('say that the worker of an operation lives')
    .argument('<id>', 'id of the operation')
  word(finish(command, 'import-42')).action((id: string, options: WordOptions) =>
    speak(id, 'not reported', options, context, { verb: 'heartbeat' }),
  )
}

function complete(parent: Command, context: CommandContext): void {
  const command = parent
    .command('complete')
    .description('end an operation: the work is done')
    .argument('<id>', 'id of the operation')
    .option('--result <json>', 'what came of it, as JSON')
    .option('--regardless', 'also while operations below it have not ended')
  word(finish(command, `import-42 --result '{"imported":1200}'`)).action(
    (id: string, options: WordOptions & { result?: string; regardless?: boolean }) => {
      const { result, regardless } = options
      const body = { ...(result !== undefined && { result: readJsonText('--result', result) }), regardless }
      return speak(id, 'not completed', options, context, { verb: 'complete', body })
    },
  )
}

function fail(parent: Command, context: CommandContext): void {
  const command = parent
    .command('fail')
    .description('end an operation: the work could not be done')
    .argument('<id>', 'id of the operation')
    .argument('<message>', 'why')
    .option('--code <code>', 'a name for the error')
    .option('--retryable', 'it may go better another time')
  word(finish(command, 'import-42 "customers.csv is not there" --code no_file --retryable')).action(
    (id: string, message: string, options: WordOptions & { code?: string; retryable?: boolean }) => {
      const { code, retryable } = options
      return speak(id, 'not failed', options, context, { verb: 'fail', body: { error: { message, code, retryable } } })
    },
  )
}

function cancelled(parent: Command, context: CommandContext): void {
  const command = parent
    .command('cancelled')
    .description('end an operation: its worker has stopped, because it was asked to')
    .argument('<id>', 'id of the operation')
  word(finish(command, 'import-42')).action((id: string, options: WordOptions) =>
    speak(id, 'not ended', options, context, { verb: 'cancelled' }),
  )
}

function attempt(parent: Command, context: CommandContext): void {
  const command = parent
    .command('attempt')
    .description('take up an operation that waits for a worker, or has lost its own')
    .argument('<id>', 'id of the operation')
    .option('--force', 'also from a worker that has it')
    .option('--worker <name>', 'a name that no other worker has: who has it already gets the same attempt again')
  finish(command, 'import-42').action(
    (id: string, options: OperationOptions & { force?: boolean; worker?: string }) => {
      const { force, worker } = options
      return speak(id, 'not taken up', options, context, { verb: 'attempts', body: { force, worker } })
    },
  )
}

function cancel(parent: Command, context: CommandContext): void {
  const command = parent
    .command('cancel')
    .description('ask the worker of an operation to stop')
    .argument('<id>', 'id of the operation')
  finish(command, 'import-42').action((id: string, options: OperationOptions) =>
    withApi(`${id} not cancelled`, options, context, async (api, _options, shell) => {
      const path = ['operations', id, 'cancel']
      printSnapshot(await insist<OperationSnapshot>(api, { method: 'POST', path, body: {} }), options, shell)
      return EXIT.done
    }),
  )
}

interface ListOptions extends OperationOptions {
  readonly owner?: string
  readonly state?: readonly string[]
  readonly kind?: string
  readonly parent?: string
  readonly limit: number
}

function list(parent: Command, context: CommandContext): void {
  const command = parent
    .command('list')
    .description('list operations, newest first')
    .option('--owner <user>', 'those of this user')
    .option('--state <state>', `those in this state (may be repeated): ${OPERATION_STATES.join(', ')}`, collect)
    .option('--kind <kind>', 'those of this kind')
    .option('--parent <id>', 'those below this one')
    .option('--limit <count>', 'how many at most', wholeOption(1, 10_000), 50)
  finish(command, '--state running --state stalled', 'lines of JSON, also on a terminal').action(
    (options: ListOptions) =>
      withApi('not listed', options, context, async (api, _options, shell) => {
        const items = await pages(api, options)
        if (wantsJson(options, shell)) for (const item of items) printJson(item, shell)
        else printTable(['ID', 'STATE', 'PROGRESS', 'OWNER', 'LABEL'], items.map(snapshotRow), shell)
        return EXIT.done
      }),
  )
}

const PAGE_MAX = 100

async function pages(api: Api, { owner, state, kind, parent, limit }: ListOptions): Promise<OperationSnapshot[]> {
  const items: OperationSnapshot[] = []
  let cursor: string | undefined
  do {
    const size = Math.min(limit - items.length, PAGE_MAX)
    const query = { owner, state: state?.join(','), kind, parent, limit: size, cursor }
    const page = await api.ask<{ items: OperationSnapshot[]; next?: string }>({ path: ['operations'], query })
    items.push(...page.items)
    cursor = page.next
  } while (cursor !== undefined && items.length < limit)
  return items
}

function show(parent: Command, context: CommandContext): void {
  const command = parent.command('show').description('show an operation').argument('<id>', 'id of the operation')
  finish(command, 'import-42').action((id: string, options: OperationOptions) =>
    withApi(`no operation ${id} to show`, options, context, async (api, _options, shell) => {
      printSnapshot(await api.ask<OperationSnapshot>({ path: ['operations', id] }), options, shell)
      return EXIT.done
    }),
  )
}

interface Word {
  readonly method?: ApiRequest['method']
  readonly verb?: string
  readonly body?: Readonly<Record<string, unknown>>
}

/** A word of a worker. It ends with 3 where the worker is asked to stop, so that a script can. */
function speak(id: string, what: string, options: WordOptions, context: CommandContext, said: Word): Promise<void> {
  return withApi(`${id} ${what}`, options, context, async (api, { attempt: number, sequence }, shell) => {
    const { method = 'POST', verb, body = {} } = said
    const path = ['operations', id, ...(verb === undefined ? [] : [verb])]
    const snapshot = await insist<OperationSnapshot>(api, {
      method,
      path,
      body: { ...body, attempt: number, sequence },
    })
    printSnapshot(snapshot, options, shell)
    return snapshot.cancelRequested && snapshot.endedAt === undefined ? EXIT.cancelled : EXIT.done
  })
}

function word(command: Command): Command {
  return command
    .option('--attempt <number>', 'the attempt that the worker has', wholeOption(1, 1e9))
    .option('--sequence <number>', 'rises with each word; a repeat changes nothing', wholeOption(0, 1e15))
}

function finish(command: Command, example: string, json = 'the snapshot as JSON, also on a terminal'): Command {
  command.option('--json', json)
  return addRemoteOptions(command).addHelpText('after', examples(`holdfast operation ${command.name()} ${example}`))
}
