/** What the page may look like; `system` follows the system. */
export const THEMES = ['system', 'light', 'dark'] as const

/** One of `THEMES`. */
export type Theme = (typeof THEMES)[number]

const KEY = 'fill-scheduler.theme'

/** What was chosen in this browser. */
export function chosenTheme(): Theme {
  return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'system'
}

/** Shows a theme and remembers it. */
export function applyTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme)
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
}
