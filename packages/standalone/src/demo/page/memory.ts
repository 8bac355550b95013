const PREFIX = 'holdfast-demo:'

/** What the page kept under a name; undefined also where the browser lets it keep nothing. */
export function recall(name: string, store: 'local' | 'tab' = 'local'): string | undefined {
  try {
    return storage(store).getItem(PREFIX + name) ?? undefined
  } catch {
    return undefined
  }
}

/** Keeps a text under a name: for this browser, or for this tab alone. */
export function remember(name: string, value: string, store: 'local' | 'tab' = 'local'): void {
  try {
    storage(store).setItem(PREFIX + name, value)
  } catch {
    // A browser that keeps nothing still shows the page.
  }
}

function storage(store: 'local' | 'tab'): Storage {
  return store === 'local' ? localStorage : sessionStorage
}
