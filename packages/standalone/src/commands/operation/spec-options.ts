import type { Command } from 'commander'
import { EXIT, Failure } from '../../failure.js'
import { collect } from '../command.js'
import { readJsonObject } from '../json-argument.js'
import { amountOption } from '../number-option.js'

/** The flags that say what an operation is to be. */
export interface SpecOptions {
  readonly kind?: string
  readonly label?: string
  readonly owner?: string
  readonly total?: number
  readonly unit?: string
  readonly phase?: readonly string[]
  readonly share?: readonly string[]
  readonly parent?: string
  readonly weight?: number
  readonly lease?: string
  readonly expireAfter?: string
  readonly metadata?: string
}

/** Adds the flags that say what an operation is to be. */
export function addSpecOptions(command: Command): Command {
  return command
    .option('--label <text>', 'what people see')
    .option('--kind <kind>', 'what kind of work it is')
    .option('--owner <user>', 'whose operation it is (default: ours)')
    .option('--total <amount>', 'how much there is to do', amountOption)
    .option('--unit <unit>', 'what is counted: files, rows')
    .option('--phase <name[:weight]>', 'a step, in order (may be repeated)', collect)
    .option('--share <user>', 'another user who may watch and cancel (may be repeated)', collect)
    .option('--parent <id>', 'the operation that this one is a part of')
    .option('--weight <amount>', 'how much of its parent it is', amountOption)
    .option('--lease <duration>', 'without a word for so long it is stalled (default 30s)')
    .option('--expire-after <duration>', 'it expires then, however far it is')
    .option('--metadata <json>', 'a JSON object of yours')
}

/** What `POST /operations` takes, without id and kind. Throws a `Failure` for what cannot be read. */
export function specOf(options: SpecOptions): Readonly<Record<string, unknown>> {
  const { label, owner, total, unit, phase, share, parent, weight, lease, expireAfter, metadata } = options
  const members = {
    label,
    owner,
    total,
    unit,
    phases: phase?.map(readPhase),
    sharedWith: share,
    parent,
    weight,
    lease,
    expireAfter,
    metadata: metadata === undefined ? undefined : readJsonObject('--metadata', metadata),
  }
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

function readPhase(text: string): { name: string; weight?: number } {
  const [, name, weight] = /^(.+?)(?::(\d{1,9}(?:\.\d{1,6})?))?$/.exec(text) ?? []
  if (name === undefined)
    throw new Failure(`--phase must be a name such as copy or copy:8, received ${JSON.stringify(text)}`, EXIT.usage)
  return { name, ...(weight !== undefined && { weight: Number(weight) }) }
}
