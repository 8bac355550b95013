import type { OperationSnapshot } from '@holdfast/protocol'
import { durationWords, estimateWords } from '../wording/durations.js'
import { count, hours } from '../wording/numbers.js'

/** What is known of a run while it goes on, as texts with their names. */
export function runFigures(snapshot: OperationSnapshot): readonly (readonly [name: string, value: string])[] {
  const { progress, eta, elapsed } = snapshot
  const { best, bound } = solverFigures(progress.message)
  return [
    ['Lots placed', doneOf(progress)],
    ['Best so far', best === undefined ? '' : hours(best, 2)],
    ['No plan is below', bound === undefined ? '' : hours(bound, 2)],
    ['Gap', best === undefined || bound === undefined ? '' : gapText(best, bound)],
    ['Time left', eta ? estimateWords(eta) : ''],
    ['Running for', elapsed >= 1 ? durationWords(elapsed) : ''],
  ].filter((figure): figure is [string, string] => figure[1] !== '')
}

/** The hours of `…, best 497.16 h, bound 480.00 h`, which solvers report. */
export function solverFigures(message: string | undefined): { readonly best?: number; readonly bound?: number } {
  const best = /\bbest (\d+(?:\.\d+)?) h/.exec(message ?? '')?.[1]
  const bound = /\bbound (\d+(?:\.\d+)?) h/.exec(message ?? '')?.[1]
  return { ...(best && { best: Number(best) }), ...(bound && { bound: Number(bound) }) }
}

/** In words, what happens now. */
export function stateWords({ state, cancelRequested, progress, attempt }: OperationSnapshot): string {
  if (cancelRequested) return 'Cancelling'
  if (state === 'queued') return 'Waiting for its turn'
  if (state === 'stalled') return 'No word from the planner; it is taken up again as soon as one is there'
  const { phase } = progress
  const step = phase ? `${PHASES[phase.name] ?? phase.name} (step ${phase.index} of ${phase.count})` : 'Running'
  return attempt > 1 ? `${step}, attempt ${attempt}` : step
}

/** The same where there is hardly any room: how far it is, or why it does not move. */
export function shortWords(snapshot: OperationSnapshot | undefined): string {
  if (snapshot?.state === 'queued') return 'waits'
  if (snapshot?.state === 'stalled') return 'no word'
  const percent = snapshot?.progress.percent
  return percent === undefined ? '…' : `${Math.floor(percent)} %`
}

const PHASES: Readonly<Record<string, string>> = {
  loading: 'Loading',
  validating: 'Validating the lots',
  planning: 'Planning',
  checking: 'Checking the plan',
  saving: 'Saving',
}

function doneOf({ done, total, unit }: OperationSnapshot['progress']): string {
  return unit === 'lots' && total !== undefined && done > 0 ? `${count(done)} of ${count(total)}` : ''
}

function gapText(best: number, bound: number): string {
  return `${((Math.max(0, best - bound) / best) * 100).toFixed(2)} %`
}
