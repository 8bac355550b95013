/** Takes a one-time sign-in code out of the address (`/#code=…`) and leaves none of it there, nor in the history. */
export function takeCode(): string | undefined {
  const { hash, pathname, search } = window.location
  const code = codeIn(hash)
  if (code !== undefined) window.history.replaceState(null, '', pathname + search)
  return code
}

/** Loads the page anew where a link is opened in a tab that has it already: there only the fragment changes. */
export function awaitCode(): void {
  window.addEventListener('hashchange', () => codeIn(window.location.hash) !== undefined && window.location.reload())
}

/** The code in a fragment. */
export function codeIn(fragment: string): string | undefined {
  const code = new URLSearchParams(fragment.replace(/^#/, '')).get('code')
  return fragment.startsWith('#code=') && code ? code : undefined
}
