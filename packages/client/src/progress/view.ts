import type { Face } from './face.js'
import { STYLE } from './style.js'

/** Shows faces in a shadow root: built once, and changed only where something is different. */
export class View {
  readonly #root = make('div', 'root')
  readonly #label = make('p', 'label')
  readonly #state = make('p', 'state')
  readonly #percent = make('span', 'percent')
  readonly #cancel = make('button', 'cancel')
  readonly #bar = make('div', 'bar')
  readonly #fill = make('div', 'fill')
  readonly #figures = make('p', 'figures')
  readonly #item = make('p', 'item')
  readonly #result = make('dl', 'result')
  readonly #problem = make('p', 'problem')
  readonly #note = make('p', 'note')
  readonly #aloud = make('p', 'aloud')
  /** What was said last; undefined before anything was shown, which is not said aloud. */
  #announced: string | undefined
  #results = ''

  /** `onCancel` is called when the person presses the button. */
  constructor(shadow: ShadowRoot, onCancel: () => void) {
    shadow.adoptedStyleSheets = [styleSheet()]
    this.#cancel.type = 'button'
    this.#cancel.textContent = 'Cancel'
    this.#cancel.addEventListener('click', () => {
      if (this.#cancel.getAttribute('aria-disabled') !== 'true') onCancel()
    })
    this.#describeBar()
    const titles = make('div', 'titles')
    titles.append(this.#label, this.#state)
    const head = make('div', 'head')
    head.append(titles, this.#percent, this.#cancel)
    this.#bar.append(this.#fill)
    this.#item.append(document.createElement('span'))
    this.#root.append(head, this.#bar, this.#figures, this.#item, this.#result, this.#problem, this.#note, this.#aloud)
    shadow.append(this.#root)
  }

  /** Shows it. `cancellable`: with a button, while it may be cancelled. */
  show(face: Face, cancellable: boolean): void {
    this.#root.dataset['look'] = face.look
    this.#root.toggleAttribute('data-away', face.note !== '')
    setText(this.#label, face.label)
    setText(this.#state, face.state)
    setText(this.#percent, face.percent)
    this.#showBar(face)
    this.#showFigures(face.figures)
    this.#item.classList.toggle('said', face.item === '')
    showText(this.#item, face.item || face.message)
    showText(this.#problem, face.problem)
    showText(this.#note, face.note)
    this.#showResult(face.result)
    this.#showCancel(face, cancellable)
    this.#announce(face)
  }

  #describeBar(): void {
    this.#label.id = 'label'
    this.#percent.setAttribute('aria-hidden', 'true')
    this.#aloud.setAttribute('role', 'status')
    const bar = { role: 'progressbar', 'aria-labelledby': 'label', 'aria-valuemin': '0', 'aria-valuemax': '100' }
    for (const [name, value] of Object.entries(bar)) this.#bar.setAttribute(name, value)
  }

  #showBar({ value, spoken, state, look }: Face): void {
    this.#bar.classList.toggle('unknown', value === undefined && look !== 'unknown' && look !== 'idle')
    this.#bar.classList.toggle('still', look === 'queued' || look === 'waiting' || look === 'stalled')
    this.#fill.style.transform = value === undefined ? '' : `translateX(${value - 100}%)`
    if (value === undefined) this.#bar.removeAttribute('aria-valuenow')
    else this.#bar.setAttribute('aria-valuenow', String(Math.floor(value)))
    this.#bar.setAttribute('aria-valuetext', spoken || state)
  }

  #showFigures(figures: readonly string[]): void {
    while (this.#figures.childElementCount > figures.length) this.#figures.lastElementChild?.remove()
    while (this.#figures.childElementCount < figures.length) this.#figures.append(make('span', 'figure'))
    figures.forEach((text, at) => setText(this.#figures.children[at] as Element, text))
  }

  #showResult(result: Face['result']): void {
    const key = JSON.stringify(result)
    if (key === this.#results) return
    this.#results = key
    this.#result.hidden = result.length === 0
    this.#result.replaceChildren(...result.flatMap(([name, value]) => resultLine(name, value)))
  }

  /** A button that goes away would lose the focus to the page; what is left of the element takes it. */
  #showCancel({ mayCancel, isCancelling }: Face, cancellable: boolean): void {
    const hidden = !cancellable || !mayCancel
    const root = this.#root.getRootNode()
    if (hidden && root instanceof ShadowRoot && root.activeElement === this.#cancel) {
      this.#root.tabIndex = -1
      this.#root.focus({ preventScroll: true })
    }
    this.#cancel.hidden = hidden
    this.#cancel.setAttribute('aria-disabled', String(isCancelling))
  }

  #announce({ announcement, look }: Face): void {
    if (look === 'loading' || announcement === this.#announced) return
    if (this.#announced !== undefined) setText(this.#aloud, announcement)
    this.#announced = announcement
  }

  /** Another operation: what it begins with is no news. */
  forget(): void {
    this.#announced = undefined
    setText(this.#aloud, '')
  }
}

function resultLine(name: string, value: string): HTMLElement[] {
  const description = document.createElement('dd')
  description.textContent = value
  if (name === '') description.className = 'alone'
  const term = document.createElement('dt')
  term.textContent = name
  return name === '' ? [description] : [term, description]
}

/** A new element whose class is also its part, by which a page can style it. */
function make<K extends keyof HTMLElementTagNameMap>(tag: K, name: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  made.className = name
  made.setAttribute('part', name)
  return made
}

function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

function showText(target: HTMLElement, text: string): void {
  target.hidden = text === ''
  setText(target.firstElementChild ?? target, text)
}

let sheet: CSSStyleSheet | undefined

/** One for all elements of a page. A content policy that forbids inline styles allows it. */
function styleSheet(): CSSStyleSheet {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet()
    sheet.replaceSync(STYLE)
  }
  return sheet
}
