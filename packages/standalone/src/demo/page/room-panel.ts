import type { Channel, Holdfast } from '@holdfast/client'
import { DEMO_ROOM } from '../tenant.js'
import { element, showProblem } from './elements.js'
import { note } from './journal.js'
import { addGap, addMessage, addPending, showMembers, showTypers } from './room-view.js'
import { rename } from './visitor.js'

const NEWEST = 'newest:30'
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,31}$/u

interface RoomEvents {
  readonly chat: { readonly text: string }
}

/** The panel of the room: members, messages with their places, who types; what came after a break says so. */
export class RoomPanel {
  readonly #client: Holdfast
  readonly #room: Channel<RoomEvents>
  readonly #user: string
  /** What a reload brings back is no recovery; what comes after a break of this page is. */
  #wasLost = false

  /** Joins the room as `user`. */
  constructor(client: Holdfast, user: string) {
    this.#client = client
    this.#user = user
    this.#room = client.channel<RoomEvents>(DEMO_ROOM)
    this.#listen()
    this.#speak()
    this.#nameForm()
  }

  /** The connection broke: messages of before that arrive from now on are recovered ones. */
  markLost(): void {
    this.#wasLost = true
  }

  #listen(): void {
    const room = this.#room
    room.on('*', (message) => {
      if (message.id === undefined) return
      addMessage(message, message.recovered && this.#wasLost)
    })
    room.on('subscribed', ({ recovered, messages }) => {
      if (!this.#wasLost || recovered === 'new' || messages === 0) return
      note(`Recovered ${messages} ${messages === 1 ? 'message' : 'messages'}, in order, none twice`, 'good')
    })
    room.on('gap', (gap) => {
      addGap(gap)
      note(`Gap in ${gap.channel} from #${gap.from} on: ${gap.reason.replace('_', ' ')}`, 'warn')
    })
    room.on('typing', ({ typers }) => showTypers(typers))
    room.on('unsubscribed', ({ message }) => note(`Not in ${DEMO_ROOM}: ${message}`, 'bad'))
    room.presence.on('change', ({ members }) => showMembers([...members.values()], this.#user))
    void room.subscribe({ since: NEWEST, presence: true }).catch((error: Error) => note(error.message, 'bad'))
  }

  #speak(): void {
    const input = element('text', HTMLInputElement)
    input.addEventListener('input', () => this.#room.typing(input.value !== ''))
    input.addEventListener('blur', () => this.#room.typing(false))
    element('say', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      const text = input.value.trim()
      if (text === '') return
      input.value = ''
      this.#room.typing(false)
      void this.#publish(text, input)
    })
  }

  /** Without a connection it waits in the client; it is shown as waiting until it has its place. What gets none is there to be sent again. */
  async #publish(text: string, input: HTMLInputElement): Promise<void> {
    const settle = addPending(this.#user, text)
    try {
      await this.#room.publish('chat', { text })
      settle()
    } catch (error) {
      settle(error instanceof Error ? error.message : String(error))
      if (input.value === '') input.value = text
    }
  }

  /** Another name is another user: the page starts again as that one. */
  #nameForm(): void {
    const input = element('name', HTMLInputElement)
    input.value = this.#user
    element('rename', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      const name = input.value.trim()
      const valid = NAME.test(name)
      showProblem(
        element('rename-problem'),
        valid ? undefined : 'A name is 1 to 32 letters, digits, spaces, dots, dashes or underscores.',
      )
      if (!valid || name === this.#user) return
      rename(name)
      this.#client.disconnect()
      location.reload()
    })
  }
}
