/** The element of the page with this id. Throws when the page has none, or one of another kind. */
export function element<T extends Element = HTMLElement>(id: string, kind?: new () => T): T {
  const found = document.getElementById(id)
  if (found === null || (kind && !(found instanceof kind))) throw new Error(`The page has no element ${id}`)
  return found as unknown as T
}

/** A new element with a class, attributes and children; texts become text nodes, never markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: { class?: string; attributes?: Record<string, string> } = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  if (options.class) made.className = options.class
  for (const [name, value] of Object.entries(options.attributes ?? {})) made.setAttribute(name, value)
  made.append(...children)
  return made
}

/** Sets a text only where it differs, so that nothing is laid out or announced again for nothing. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

/** Shows a problem to the person, or takes it away. */
export function showProblem(target: HTMLElement, problem: string | undefined): void {
  target.hidden = problem === undefined
  setText(target, problem ?? '')
}

/** Makes a button rest, or takes it back to work. Unlike one that is disabled, it keeps the focus of who pressed it. */
export function setResting(button: HTMLElement, resting: boolean): void {
  button.setAttribute('aria-disabled', String(resting))
}

/** Whether a button rests; what it does must then not be done. */
export function isResting(button: HTMLElement): boolean {
  return button.getAttribute('aria-disabled') === 'true'
}
