import type { Holdfast } from '@holdfast/client'
import '@holdfast/client/progress'
import type { OperationSnapshot } from '@holdfast/protocol'
import { formatPercent } from '../../quantity.js'
import { COMMAND_LINE_USER } from '../tenant.js'
import { element, setText } from './elements.js'

const asked = new URLSearchParams(location.search)

/** The operation that the address asks for, `/?operation=npm-1f0c`; the page then shows that one alone. */
export function askedOperation(): string | undefined {
  return asked.get('operation') || undefined
}

/** As whom the address asks to look: `&user=ada`; as the command line, which prints such addresses, where it names nobody. */
export function askedUser(): string {
  return asked.get('user') || COMMAND_LINE_USER
}

/** The address at which the page shows this operation of this user. */
export function addressOf(operation: string, user: string): string {
  const query = new URLSearchParams({ operation, ...(user !== COMMAND_LINE_USER && { user }) })
  return `/?${query.toString()}`
}

/** Shows one operation, large, with a button that cancels it. */
export function showSingle(client: Holdfast, operation: string, user: string): void {
  document.body.dataset['view'] = 'single'
  element('single').hidden = false
  setText(element('single-note'), `Watched as ${user}. Reload, close the tab, cut the network: it stays right.`)
  const shown = document.createElement('holdfast-progress')
  Object.assign(shown, { client, operation, cancellable: true })
  shown.addEventListener('progress', ({ detail }) => {
    document.title = titleOf(detail)
  })
  element('single-place').replaceChildren(shown)
}

/** A tab in the background shows how far it is. */
function titleOf({ progress, state, label, kind, endedAt }: OperationSnapshot): string {
  const name = label ?? kind
  if (endedAt !== undefined) return `${state}: ${name}`
  return progress.percent === undefined ? name : `${formatPercent(progress.percent)} ${name}`
}
