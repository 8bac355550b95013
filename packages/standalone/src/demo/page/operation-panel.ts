import { type Holdfast, HoldfastError } from '@holdfast/client'
import { type OperationSnapshot, isTerminal } from '@holdfast/protocol'
import type { IndexSummary } from '../index-summary.js'
import { element, isResting, setResting, showProblem } from './elements.js'
import { note } from './journal.js'
import { recall, remember } from './memory.js'
import { OperationView } from './operation-view.js'
import { renderResult, renderTotals } from './result-view.js'
import { untilAnswered } from './until-answered.js'
import { visitorStore } from './visitor.js'

const HASH = '#operation='
const GONE = 'The operation is gone: the server was started again, and its memory is new. Start another one.'
const ID = /^[\w.:-]{1,128}$/

/** The panel of the operation: starts indexes, shows one, and finds it again after a reload. */
export class OperationPanel {
  readonly #client: Holdfast
  readonly #view = new OperationView()
  readonly #onChange: (id: string | undefined) => void
  #watched: { readonly id: string; readonly abort: AbortController } | undefined

  /** `onChange` hears which operation the page shows. */
  constructor(client: Holdfast, onChange: (id: string | undefined) => void) {
    this.#client = client
    this.#onChange = onChange
    element('start', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#start()
    })
    element('cancel').addEventListener('click', () => void this.#cancel())
    addEventListener('hashchange', () => this.#follow())
  }

  /**
   * Shows the operation of the address or the one of the last visit; on a first visit starts one, so that there is
   * something to see.
   */
  async open(): Promise<void> {
    const named = idFromHash()
    const kept = recall('operation', visitorStore())
    const id = named ?? kept
    const found = id !== undefined && (await this.#watch(id))
    if (found) return
    if (named !== undefined && named !== kept)
      return showProblem(element('start-problem'), `There is no operation ${named} here.`)
    await this.#start()
  }

  /** Marks what is shown as old while the page is cut off. */
  markStale(stale: boolean): void {
    this.#view.markStale(stale)
  }

  async #start(): Promise<void> {
    const button = element('start-button')
    if (isResting(button)) return
    const path = element('path', HTMLInputElement).value.trim() || '.'
    const pace = element('pace', HTMLSelectElement).value
    setResting(button, true)
    try {
      const operation = await startIndex(this.#client, { path, pace })
      showProblem(element('start-problem'), undefined)
      await this.#watch(operation)
    } catch (error) {
      showProblem(element('start-problem'), error instanceof Error ? error.message : String(error))
    } finally {
      setResting(button, false)
    }
  }

  async #cancel(): Promise<void> {
    const id = this.#watched?.id
    const button = element('cancel')
    if (id === undefined || isResting(button)) return
    setResting(button, true)
    try {
      await untilAnswered(() => this.#client.operation(id).cancel())
    } catch (error) {
      setResting(button, false)
      // By a first try, whose answer was lost, or by itself: its end is shown.
      if (error instanceof HoldfastError && error.code === 'already_ended') return
      note(`Not cancelled: ${error instanceof Error ? error.message : String(error)}`, 'bad')
    }
  }

  #follow(): void {
    const id = idFromHash()
    if (id !== undefined && id !== this.#watched?.id) void this.#watch(id)
  }

  /** Resolves once the first snapshot is there: with true, or with false when there is no such operation for us. */
  #watch(id: string): Promise<boolean> {
    this.#watched?.abort.abort()
    const abort = new AbortController()
    this.#watched = { id, abort }
    element('result').hidden = true
    return new Promise((resolve) => {
      void this.#read(id, abort.signal, () => resolve(true)).catch(() => {
        resolve(false)
        if (!abort.signal.aborted) this.#forget()
      })
    })
  }

  async #read(id: string, signal: AbortSignal, onFirst: () => void): Promise<void> {
    let isFirst = true
    for await (const snapshot of this.#client.operation(id)) {
      if (signal.aborted) return
      if (isFirst) this.#keep(id)
      if (isFirst) onFirst()
      isFirst = false
      this.#show(snapshot)
      if (isTerminal(snapshot.state)) return
    }
  }

  #show(snapshot: OperationSnapshot): void {
    this.#view.show(snapshot)
    const summary = snapshot.state === 'completed' ? (snapshot.result as IndexSummary) : undefined
    element('totals').hidden = summary === undefined
    element('result').hidden = summary === undefined
    if (summary === undefined) return
    element('totals').replaceChildren(...renderTotals(summary))
    element('result-body').replaceChildren(...renderResult(summary))
  }

  #keep(id: string): void {
    remember('operation', id, visitorStore())
    history.replaceState(null, '', `${location.pathname}${location.search}${HASH}${id}`)
    this.#onChange(id)
  }

  /** A server that keeps operations in memory forgets them when it ends; whoever has watched one is told. */
  #forget(): void {
    if (!element('progress').hidden) showProblem(element('start-problem'), GONE)
    this.#watched = undefined
    this.#view.clear()
    this.#onChange(undefined)
  }
}

/** Starts an index, once, by the key that names the wish. */
async function startIndex(client: Holdfast, wish: { path: string; pace: string }): Promise<string> {
  const key = crypto.getRandomValues(new Uint32Array(4)).join('-')
  const { operation } = await untilAnswered(() => client.call<{ operation: string }>('demo.index', { ...wish, key }))
  return operation
}

function idFromHash(): string | undefined {
  const id = location.hash.startsWith(HASH) ? location.hash.slice(HASH.length) : ''
  return ID.test(id) ? id : undefined
}
