import { element, setText } from './elements.js'
import { recall, remember } from './memory.js'

const THEMES = ['system', 'light', 'dark'] as const
type Theme = (typeof THEMES)[number]

/** Lets the person choose light, dark or what the system says; the choice is kept. */
export function startTheme(): void {
  let theme = THEMES.find((known) => known === recall('theme')) ?? 'system'
  show(theme)
  element('theme').addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system'
    remember('theme', theme)
    show(theme)
  })
}

function show(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
  setText(element('theme-label'), theme)
}
