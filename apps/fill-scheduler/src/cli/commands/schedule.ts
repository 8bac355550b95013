import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { systemClock } from '../../clock.js'
import { figuresOf } from '../../io/reports/figures.js'
import { REPORT_FORMATS, type Report, reportFile, type ReportFormat } from '../../io/reports/report.js'
import { proofText } from '../../io/reports/txt.js'
import type { Settings } from '../../planning/settings.js'
import type { PlanRequest } from '../../runs/plan-in-thread.js'
import { earlierPlan } from '../earlier-plan.js'
import { askForPlan } from '../interview.js'
import { addPlanOptions, collect, type CommandSetting, type GlobalOptions, STRATEGY_LIST } from '../options.js'
import { writeFiles } from '../output-files.js'
import { planDocument } from '../plan-document.js'
import { loadLots, planAndCheck, titleOf } from '../planning.js'
import { type SettingOptions, settingsOf } from '../settings.js'
import { Failure, type Shell } from '../shell.js'
import { textTable } from '../text-table.js'
import { tellWarnings } from '../trouble.js'

interface ScheduleOptions extends SettingOptions, GlobalOptions {
  readonly interactive?: boolean
  readonly json?: boolean
  readonly validation: boolean
  readonly report: boolean
  readonly format?: readonly string[]
  readonly replan?: string
  readonly from?: string
}

/** `schedule`: one plan, its files and its figures. */
export function addSchedule(program: Command, { shell }: CommandSetting): void {
  const command = program
    .command('schedule')
    .description('plan the lots of a file; writes schedule.csv, summary.txt and report.html')
  addPlanOptions(command)
    .option('-s, --strategy <name>', `${STRATEGY_LIST}, or an alias`)
    .option('--format <formats>', `what to write instead: ${REPORT_FORMATS.join(', ')}`, collect)
    .option('--no-report', 'write no HTML report')
    .option(
      '--no-validation',
      'do not check the finished plan, tell no warnings; lots that cannot be planned are refused all the same',
    )
    .option(
      '--replan <file>',
      'go on from an earlier plan, a JSON file of this command; --data names all lots, old and new',
    )
    .option('--from <time>', 'with --replan: what had begun by then stays as it is, "YYYY-MM-DD HH:MM"')
    .option('-i, --interactive', 'ask for file, strategy and start on the terminal')
    .action(() => run(command.optsWithGlobals<ScheduleOptions>(), shell))
}

async function run(options: ScheduleOptions, shell: Shell): Promise<void> {
  const formats = formatsOf(options)
  const loaded = await settingsOf(options, shell)
  const settings = options.interactive || loaded.interactive ? await askForPlan(loaded, shell) : loaded
  const frozen = await frozenOf(options, settings, shell)
  const { path, lots, problems } = await loadLots(settings, shell, frozen)
  tell(options, shell, `Loaded ${lots.length} ${lots.length === 1 ? 'lot' : 'lots'} from ${path}`)
  const { strategy } = settings
  const { validation } = options
  const plan = await planAndCheck({ lots, settings, strategy, validation, ...(frozen && { frozen }) }, shell)
  tell(options, shell, `Planned with ${strategy} (${settings.mode}), proof: ${proofText(plan.result)}`)
  const warnings = validation ? [...problems, ...plan.problems] : []
  const generatedAt = new Date(systemClock.now())
  const report: Report = { name: titleOf(path), settings, lots, result: plan.result, problems: warnings, generatedAt }
  await writeReports(report, formats, options, shell)
  if (options.json) return void shell.stdout.write(`${JSON.stringify(planDocument(plan.result, warnings, settings))}\n`)
  tellWarnings(warnings, shell)
  shell.stdout.write(`\n${textTable([['Figure', 'Value'], ...figuresOf(plan.result)])}`)
}

/** What people read while it goes on; programs read the document alone. */
function tell({ json }: ScheduleOptions, shell: Shell, text: string): void {
  if (!json) shell.stdout.write(`${text}\n`)
}

async function frozenOf(
  { replan, from }: ScheduleOptions,
  settings: Settings,
  shell: Shell,
): Promise<PlanRequest['frozen']> {
  if ((replan === undefined) !== (from === undefined)) throw new Failure('--replan and --from belong together')
  if (replan === undefined || from === undefined) return undefined
  return earlierPlan(resolve(shell.cwd, replan), from, settings)
}

function formatsOf({ format }: ScheduleOptions): readonly ReportFormat[] | undefined {
  return format?.map((text) => {
    const known = REPORT_FORMATS.find((name) => name === text)
    if (known !== undefined) return known
    throw new Failure(`--format must be some of ${REPORT_FORMATS.join(', ')}, received "${text}"`)
  })
}

/** With `--json` files are written only where a folder was named. */
async function writeReports(
  report: Report,
  formats: readonly ReportFormat[] | undefined,
  options: ScheduleOptions,
  shell: Shell,
): Promise<void> {
  if (options.json && options.output === undefined) return
  const { html, htmlFile } = report.settings.report
  const wanted = formats ?? (html && options.report ? ['csv', 'txt', 'html'] : ['csv', 'txt'])
  const files = new Map<string, Uint8Array>()
  for (const format of wanted) {
    shell.interrupted.throwIfAborted()
    files.set(nameOf(format, htmlFile), (await reportFile(format, report)).bytes)
  }
  const folder = resolve(shell.cwd, report.settings.output)
  for (const path of await writeFiles(folder, files, shell.interrupted)) tell(options, shell, `Wrote ${path}`)
}

function nameOf(format: ReportFormat, htmlFile: string): string {
  if (format === 'txt') return 'summary.txt'
  return format === 'html' ? basename(htmlFile) : `schedule.${format}`
}
