import { HoldfastProvider, useChannel, useConnection, useOperation, usePresence } from '@holdfast/client/react'
import { type ReactElement, StrictMode, createElement as make, useEffect, useReducer, useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'

// What a page could look like: every hook, in strict mode, with buttons that do to it what pages do.

interface Chat {
  chat: { text: string }
}

const asked = new URLSearchParams(location.search)
const renders = { chat: 0 }
Object.assign(globalThis, { renders })

async function fetchToken(): Promise<string> {
  return (await fetch(`/token?user=${asked.get('user') ?? 'ada'}`)).text()
}

function App(): ReactElement {
  const [parts, setParts] = useState((asked.get('parts') ?? 'chat').split(','))
  const [room, setRoom] = useState(asked.get('room') ?? 'room:1')
  const toggle = (name: string): void =>
    setParts((now) => (now.includes(name) ? now.filter((part) => part !== name) : [...now, name]))
  const button = (id: string, press: () => void): ReactElement => make('button', { id, key: id, onClick: press }, id)
  return make(
    HoldfastProvider,
    // Everything here is made anew at every rendering.
    { url: '/ws', token: () => fetchToken(), options: { backoff: { minMs: 20, maxMs: 100 } } },
    make(Connection),
    ...['chat', 'second', 'presence', 'operation'].map((name) => button(`toggle-${name}`, () => toggle(name))),
    button('other-room', () => setRoom('room:2')),
    parts.includes('chat') ? make(ChatPanel, { key: 'chat', id: 'chat', room }) : null,
    parts.includes('second') ? make(ChatPanel, { key: 'second', id: 'second', room }) : null,
    parts.includes('presence') ? make(Members, { key: 'presence', room }) : null,
    parts.includes('operation') ? make(Job, { key: 'operation' }) : null,
  )
}

function Connection(): ReactElement {
  const { status, identity, connect, disconnect } = useConnection()
  return make(
    'p',
    {},
    make('span', { id: 'status' }, status),
    make('span', { id: 'user' }, identity?.user ?? ''),
    make('button', { id: 'connect', onClick: connect }, 'connect'),
    make('button', { id: 'disconnect', onClick: disconnect }, 'disconnect'),
  )
}

function ChatPanel({ id, room }: { id: string; room: string }): ReactElement {
  const [, again] = useReducer((count: number) => count + 1, 0)
  const [outcome, setOutcome] = useState('')
  const handled = useRef<string[]>([])
  const options = { limit: 10, history: Number(asked.get('history') ?? 0) }
  const channel = useChannel<Chat>(room, { ...options, onMessage: ({ data }) => handled.current.push(data.text) })
  const { publish, typing } = channel
  const changes = useRef(-1)
  useEffect(() => {
    changes.current += 1
  }, [publish, typing])
  if (id === 'chat') renders.chat += 1
  const send = async (): Promise<void> => {
    const sent = await publish('chat', { text: 'from the page' })
    setOutcome(sent.ok ? `stored ${sent.value.offset}` : sent.error.code)
  }
  return make(
    'section',
    { id },
    make('p', { className: 'channel-status' }, channel.status),
    make('ol', {}, ...channel.messages.map(({ id: key, data }) => make('li', { key }, data.text))),
    make('p', { className: 'gap' }, channel.gap?.reason ?? ''),
    make('p', { className: 'error' }, channel.error?.code ?? ''),
    make('p', { className: 'typers' }, channel.typers.join()),
    make('p', { className: 'outcome' }, outcome),
    make('p', { className: 'handled' }, handled.current.length),
    make('p', { className: 'changes' }, changes.current),
    make('button', { className: 'send', onClick: () => void send() }, 'send'),
    make('button', { className: 'type', onClick: () => typing(true) }, 'type'),
    make('button', { className: 'again', onClick: again }, 'again'),
  )
}

function Members({ room }: { room: string }): ReactElement {
  const [status, setStatus] = useState(asked.get('status') ?? undefined)
  const info = status === undefined ? undefined : { status: status === 'endless' ? Infinity : status }
  const { members, counts, error } = usePresence(room, { info })
  const names = members.map(({ user, connections }) => `${user} ${connections}`).toSorted()
  return make(
    'section',
    {},
    make(
      'p',
      { id: 'members' },
      `${names.join(', ')}; ${counts.members} of ${counts.connections} ${error?.code ?? ''}`,
    ),
    make('p', { id: 'told' }, members.map((member) => JSON.stringify(member.info ?? null)).join()),
    make('button', { id: 'away', onClick: () => setStatus('away') }, 'away'),
  )
}

function Job(): ReactElement {
  const job = useOperation<{ imported: number }>(asked.get('operation') ?? undefined)
  const [taken, setTaken] = useState('')
  const cancel = async (): Promise<void> => {
    const outcome = await job.cancel()
    setTaken(outcome.ok ? 'taken' : outcome.error.code)
  }
  return make(
    'section',
    { id: 'job' },
    make('p', { id: 'job-status' }, job.status),
    make('p', { id: 'job-percent' }, job.progress?.percent ?? ''),
    make('p', { id: 'job-result' }, job.result?.imported ?? ''),
    make('p', { id: 'job-error' }, job.error?.code ?? ''),
    make('p', { id: 'job-snapshot' }, JSON.stringify(job.snapshot ?? null)),
    make('p', { id: 'job-cancel' }, taken),
    make('button', { id: 'cancel', onClick: () => void cancel() }, 'cancel'),
  )
}

const place = document.createElement('div')
document.body.append(place)
createRoot(place).render(make(StrictMode, {}, make(App)))
