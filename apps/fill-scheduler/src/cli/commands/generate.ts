import { resolve } from 'node:path'
import type { Command } from 'commander'
import { generateLots, lotsAsCsv, type LotRecipe } from '../../io/generate.js'
import { collect, type CommandSetting } from '../options.js'
import { writeWhole } from '../output-files.js'
import { Failure, type Shell } from '../shell.js'

interface GenerateOptions {
  readonly count: string
  readonly seed: string
  readonly types?: readonly string[]
  readonly min: string
  readonly max: string
  readonly output?: string
}

/** `generate`: lots for trials. */
export function addGenerate(program: Command, { shell }: CommandSetting): void {
  const command = program
    .command('generate')
    .description('make a CSV file of lots for trials; the same seed makes the same lots')
    .option('-n, --count <number>', 'how many lots', '500')
    .option('--seed <number>', 'seed of the generator', '42')
    .option('--types <names>', 'types of lots (default: VialE,VialH,VialF,VialX)', collect)
    .option('--min <vials>', 'fewest vials of a lot', '20000')
    .option('--max <vials>', 'most vials of a lot', '2300000')
    .option('-o, --output <file>', 'file to write (default: standard output)')
    .action(() => run(command.opts<GenerateOptions>(), shell))
}

async function run(options: GenerateOptions, shell: Shell): Promise<void> {
  const lots = lotsOf({
    count: wholeNumber('--count', options.count),
    seed: wholeNumber('--seed', options.seed),
    vialsMin: wholeNumber('--min', options.min),
    vialsMax: wholeNumber('--max', options.max),
    ...(options.types === undefined ? {} : { types: options.types }),
  })
  if (options.output === undefined) return void shell.stdout.write(lotsAsCsv(lots))
  await writeWhole(resolve(shell.cwd, options.output), lotsAsCsv(lots))
  shell.stdout.write(`Wrote ${lots.length} lots to ${options.output}\n`)
}

/** Bounds are the generator’s to know. */
function lotsOf(recipe: LotRecipe): ReturnType<typeof generateLots> {
  try {
    return generateLots(recipe)
  } catch (error) {
    throw error instanceof RangeError ? new Failure(error.message) : error
  }
}

function wholeNumber(option: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new Failure(`${option} must be a whole number, received "${text}"`)
}
