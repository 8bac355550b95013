import { systemClock } from '../../clock.js'
import { element, make, setText } from './elements.js'

const COPIED_MS = 1600

/** What the commands are about. */
export interface CommandFacts {
  /** The operation on the page. */
  readonly operation: string | undefined
  /** The user of the page. */
  readonly user: string
}

/** Shows the commands that do in a terminal what the page does, each with a button that copies it. */
export function showCommands(facts: CommandFacts): void {
  element('commands').replaceChildren(...commandsFor(facts).map(renderCommand))
}

interface Command {
  readonly what: string
  readonly text: string
}

/** The port is named where it is not the default, as the command line would not find the server otherwise. */
function commandsFor({ operation, user }: CommandFacts): Command[] {
  const url = location.port === '8000' ? '' : ` --url ws://${location.host}/ws`
  const watch =
    operation === undefined ? [] : [{ what: 'Watch this operation', text: `npx holdfast watch ${operation}${url}` }]
  return [
    ...watch,
    {
      what: 'Run any command, and see it above',
      text: `npx holdfast run --user ${quote(user)}${url} -- tar -czf /dev/null node_modules`,
    },
    { what: 'Listen to the room', text: `npx holdfast listen room:lobby --tenant demo${url}` },
    {
      what: 'Say something in it',
      text: `npx holdfast publish room:lobby '{"text":"hello"}' --event chat --tenant demo${url}`,
    },
    { what: 'Make a token for any client', text: `npx holdfast token --tenant demo --user ${quote(user)}` },
  ]
}

function quote(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

function renderCommand({ what, text }: Command): HTMLElement {
  const button = make(
    'button',
    { class: 'quiet', attributes: { type: 'button', 'aria-label': `Copy: ${what}` } },
    'Copy',
  )
  button.addEventListener('click', () => void copy(text, button))
  return make(
    'li',
    {},
    make('p', { class: 'command-what' }, what),
    make('div', { class: 'command' }, make('code', {}, text), button),
  )
}

async function copy(text: string, button: HTMLButtonElement): Promise<void> {
  const copied = await navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  )
  setText(button, copied ? 'Copied' : 'Select it')
  setText(element('copied'), copied ? 'Copied' : 'The browser did not let the page copy')
  systemClock.after(COPIED_MS, () => setText(button, 'Copy'))
}
