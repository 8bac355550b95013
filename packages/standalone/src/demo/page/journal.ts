import { systemClock } from '../../clock.js'
import { element, make } from './elements.js'

const ENTRIES_MAX = 60

/** How good the news is. */
export type Tone = 'plain' | 'good' | 'warn' | 'bad'

/** Writes a line into the connection log of the page, newest first. */
export function note(text: string, tone: Tone = 'plain'): void {
  const journal = element('journal')
  const time = new Date(systemClock.now()).toLocaleTimeString('en-GB')
  const entry = make('li', { class: 'entry' }, make('time', {}, time), make('span', {}, text))
  entry.dataset['tone'] = tone
  journal.prepend(entry)
  while (journal.childElementCount > ENTRIES_MAX) journal.lastElementChild?.remove()
}
