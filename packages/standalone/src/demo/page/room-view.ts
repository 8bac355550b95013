import type { Message } from '@holdfast/client'
import type { GapRange, Member } from '@holdfast/protocol'
import { element, make, setText } from './elements.js'

const MESSAGES_MAX = 200
const NEAR_END_PX = 40

/** Shows the members of the room, each with the tabs it has open. */
export function showMembers(members: readonly Member[], self: string): void {
  const sorted = members.toSorted(
    (a, b) => Number(b.user === self) - Number(a.user === self) || a.user.localeCompare(b.user),
  )
  element('members').replaceChildren(...sorted.map((member) => renderMember(member, self)))
}

function renderMember({ user, connections }: Member, self: string): HTMLElement {
  const isSelf = user === self
  const initial = make(
    'span',
    { class: 'initial', attributes: { 'aria-hidden': 'true' } },
    [...user][0]?.toUpperCase() ?? '?',
  )
  const name = make('span', { class: 'member-name' }, isSelf ? `${user} (you)` : user)
  const tabs = connections > 1 ? [make('span', { class: 'tabs' }, `${connections} tabs`)] : []
  return make('li', { class: isSelf ? 'member self' : 'member' }, initial, name, ...tabs)
}

/** Shows who types. */
export function showTypers(users: readonly string[]): void {
  const [first, second] = users
  const text =
    first === undefined
      ? ''
      : users.length === 1
        ? `${first} types…`
        : users.length === 2
          ? `${first} and ${second} type…`
          : `${users.length} people type…`
  setText(element('typing'), text)
}

/** Adds a message at the end; one that came after a cut says so. */
export function addMessage(message: Message, recovered: boolean): void {
  const from = 'system' in message.from ? 'Server' : message.from.user
  const kind = `message${recovered ? ' recovered' : ''}${from === 'Server' ? ' system' : ''}`
  const badge = recovered ? [make('span', { class: 'badge' }, 'recovered')] : []
  const place = message.offset === undefined ? '' : `#${message.offset}`
  const text = make(
    'span',
    { class: 'message-text' },
    make('span', { class: 'message-from' }, from),
    textOf(message),
    ...badge,
  )
  append(
    make(
      'li',
      { class: kind },
      text,
      make('span', { class: 'message-place', attributes: { title: message.at } }, place),
    ),
  )
}

/** Shows a message that has not left yet; returns what takes it away again, or says why it never will. */
export function addPending(user: string, text: string): (problem?: string) => void {
  const state = make('span', { class: 'message-place' }, 'waits')
  const body = make('span', { class: 'message-text' }, make('span', { class: 'message-from' }, user), text)
  const item = make('li', { class: 'message pending' }, body, state)
  append(item)
  return (problem) => {
    if (problem === undefined) item.remove()
    else setText(state, problem)
  }
}

/** Says what is lost for good. */
export function addGap({ from, to, reason }: GapRange): void {
  const range = to === null ? `from #${from} on` : `#${from} to #${to}`
  append(
    make('li', { class: 'message gap' }, `Gap: messages ${range} are no longer kept (${reason.replace('_', ' ')}).`),
  )
}

function textOf({ event, data }: Message): string {
  const text = (data as { text?: unknown } | null)?.text
  return typeof text === 'string' ? text : `${event} ${JSON.stringify(data)}`
}

/** Keeps the end in view for whoever reads there, and the place for whoever has scrolled up. */
function append(item: HTMLElement): void {
  const list = element('messages')
  const reads = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX
  list.querySelector('.empty')?.remove()
  list.append(item)
  while (list.childElementCount > MESSAGES_MAX) list.firstElementChild?.remove()
  if (reads) list.scrollTop = list.scrollHeight
}
