import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import { formatDone, formatDuration, formatEta, formatPercent, formatRate } from '../../quantity.js'
import { INDEX_PHASES } from '../index-summary.js'
import { element, make, setResting, setText } from './elements.js'

const ANNOUNCE_EVERY_PERCENT = 25

const STATE_TEXTS: Record<OperationSnapshot['state'], string> = {
  queued: 'Waiting to start',
  running: 'Running',
  waiting: 'Waiting',
  stalled: 'Stalled: the worker has gone quiet',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
  expired: 'Expired',
}

/** Shows an operation: percentage, bar, steps, figures, item. Holds nothing but what was announced last. */
export class OperationView {
  #announced = ''

  /** Shows a snapshot. */
  show(snapshot: OperationSnapshot): void {
    const panel = element('progress')
    panel.hidden = false
    panel.dataset['state'] = snapshot.state
    panel.toggleAttribute('data-ended', isTerminal(snapshot.state))
    setText(element('operation-label'), snapshot.label ?? snapshot.kind)
    setText(element('operation-state'), describeState(snapshot))
    showCancel(snapshot)
    showBar(snapshot)
    showSteps(snapshot)
    showFigures(snapshot)
    document.title = titleOf(snapshot)
    this.#announce(snapshot)
  }

  /** Marks what is shown as the last that was known, while the page is cut off. */
  markStale(stale: boolean): void {
    element('progress').classList.toggle('stale', stale)
  }

  /** Nothing is shown. */
  clear(): void {
    const panel = element('progress')
    panel.hidden = true
    delete panel.dataset['state']
    this.#announced = ''
  }

  /** Tells screen readers of each step and each quarter, not of five changes a second. */
  #announce(snapshot: OperationSnapshot): void {
    const { percent, phase } = snapshot.progress
    const quarter = Math.floor((percent ?? 0) / ANNOUNCE_EVERY_PERCENT) * ANNOUNCE_EVERY_PERCENT
    const text = isTerminal(snapshot.state)
      ? describeState(snapshot)
      : `${phase?.name ?? 'Running'}, ${quarter} percent`
    if (text === this.#announced) return
    this.#announced = text
    setText(element('operation-announcement'), text)
  }
}

/** A button that goes away loses the focus to the page; who works by keyboard goes on at the heading. */
function showCancel({ state, cancelRequested }: OperationSnapshot): void {
  const button = element('cancel')
  const ended = isTerminal(state)
  if (ended && document.activeElement === button) element('operation-title').focus({ preventScroll: true })
  button.hidden = ended
  setResting(button, cancelRequested === true)
}

/** A tab in the background shows how far it is. */
function titleOf({ progress, state }: OperationSnapshot): string {
  const running = !isTerminal(state) && progress.percent !== undefined
  return running ? `${formatPercent(progress.percent ?? 0)} Holdfast demo` : 'Holdfast demo'
}

function describeState(snapshot: OperationSnapshot): string {
  const { state, error, cancelRequested, elapsed } = snapshot
  if (state === 'failed') return `Failed: ${error?.message ?? 'no reason given'}`
  if (isTerminal(state)) return `${STATE_TEXTS[state]} after ${formatDuration(elapsed)}`
  return cancelRequested ? 'Cancelling' : STATE_TEXTS[state]
}

function showBar({ progress, state }: OperationSnapshot): void {
  const { percent } = progress
  const known = percent ?? (isTerminal(state) ? 0 : undefined)
  const bar = element('bar')
  setText(element('percent'), known === undefined ? '–' : formatPercent(known))
  bar.classList.toggle('unknown', known === undefined)
  element('bar-fill').style.transform = known === undefined ? '' : `translateX(${known - 100}%)`
  if (known === undefined) bar.removeAttribute('aria-valuenow')
  else bar.setAttribute('aria-valuenow', String(Math.floor(known)))
  bar.setAttribute('aria-valuetext', describeProgress(progress))
}

function describeProgress({ percent, done, total, unit, phase }: OperationSnapshot['progress']): string {
  const figures = formatDone(done, total, unit)
  const parts = [percent === undefined ? '' : formatPercent(percent), phase?.name ?? '', figures]
  return parts.filter((part) => part !== '').join(', ')
}

function showSteps({ progress, state }: OperationSnapshot): void {
  const current = state === 'completed' ? INDEX_PHASES.length + 1 : (progress.phase?.index ?? 0)
  const steps = INDEX_PHASES.map((name, index) => makeStep(name, index + 1, current))
  element('steps').replaceChildren(...steps)
}

function makeStep(name: string, index: number, current: number): HTMLElement {
  const step = index < current ? 'past' : index === current ? 'now' : 'next'
  const made = make('li', { class: 'step', attributes: { 'data-step': step } }, name)
  made.dataset['mark'] = step === 'past' ? '✓' : String(index)
  if (step === 'now') made.setAttribute('aria-current', 'step')
  return made
}

function showFigures({ progress, rate, eta, elapsed, state, cancelRequested }: OperationSnapshot): void {
  const ended = isTerminal(state)
  setText(element('done'), formatDone(progress.done, progress.total, progress.unit))
  setText(element('rate'), rate === undefined || ended ? '–' : formatRate(rate, progress.unit))
  setText(element('eta'), eta === undefined || ended || cancelRequested ? '–' : formatEta(eta))
  setText(element('elapsed'), formatDuration(elapsed))
  setText(element('item'), ended ? '' : (progress.item ?? progress.message ?? ''))
}
