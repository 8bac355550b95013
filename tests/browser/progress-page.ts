import { Holdfast } from '@holdfast/client'
import '@holdfast/client/progress'

// Gives the tests what a page has: a token, elements with it, and a list of what they dispatched.

const asked = new URLSearchParams(location.search)
const user = asked.get('user') ?? 'ada'
const heard: string[] = []
const spoken: string[] = []

async function fetchToken(): Promise<string> {
  return (await fetch(`/token?user=${user}`)).text()
}

/** An element in the page, with a token; attributes as given. */
function show(attributes: Record<string, string>): void {
  const made = document.createElement('holdfast-progress')
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  if (!('token' in attributes)) made.token = fetchToken
  document.body.append(made)
  const aloud = made.shadowRoot?.querySelector('[role=status]')
  if (aloud) new MutationObserver(() => spoken.push(aloud.textContent ?? '')).observe(aloud, { childList: true })
}

for (const name of ['progress', 'ended', 'problem']) {
  document.addEventListener(name, (event) => {
    const { state, code } = (event as CustomEvent<{ state?: string; code?: string }>).detail
    heard.push(`${name} ${state ?? code}`)
  })
}

Object.assign(globalThis, { Holdfast, fetchToken, show, heard, spoken })
