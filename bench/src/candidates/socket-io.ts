import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Server as SocketServer, Socket } from 'socket.io'
import { timestamp } from '../clock.js'
import { benchToken, verifiedUser } from '../token.js'
import {
  type Candidate,
  type ControlFrame,
  type Dialect,
  type Opening,
  type RunningServer,
  type Work,
  workChannel,
} from './candidate.js'

type Acknowledge = (answer: unknown) => void

/** Packets of Engine.IO 4 (first digit) around packets of Socket.IO 5 (second digit), as text over a WebSocket. */
const dialect: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  begin() {},
  proceed(opening: Opening, text: string): void {
    if (text.startsWith('0{')) opening.send(`40${JSON.stringify({ token: benchToken(opening.user) })}`)
    else if (text.startsWith('40')) opening.send(`420${JSON.stringify(['join', opening.channels])}`)
    else if (text.startsWith('430')) opening.ready()
    else if (text === '2') opening.send('3')
    else opening.refuse(text)
  },
  publish: (channel, text, id) => `42${id}${JSON.stringify(['publish', channel, { text }])}`,
  control(text: string): ControlFrame {
    if (text === '2') return { kind: 'heartbeat', answer: '3' }
    if (text.startsWith('43')) return { kind: 'acknowledged', count: 1 }
    return { kind: 'failure', reason: text }
  },
}

/** Socket.IO over WebSocket alone, without compression and without connection-state recovery. */
export const socketIo: Candidate = {
  name: 'socket-io',
  title: 'Socket.IO',
  dialect,
  async start(): Promise<RunningServer> {
    const { Server } = await import('socket.io')
    const http = createServer()
    const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false })
    io.use((socket, next) => next(authenticate(socket) ? undefined : new Error('Invalid authentication token')))
    io.on('connection', (socket) => {
      socket.on('join', (rooms: string[], acknowledge: Acknowledge) => {
        void socket.join(rooms)
        acknowledge({})
      })
      socket.on('publish', (room: string, data: unknown, acknowledge: Acknowledge) => {
        io.to(room).emit('message', data)
        acknowledge({})
      })
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    return {
      port: (http.address() as AddressInfo).port,
      begin: async (pieces) => begin(io, pieces),
      close: () => io.close(),
    }
  },
}

/** What a user writes: each report goes to the room of its work. */
function begin(io: SocketServer, pieces: number): Work {
  const tell = (piece: number, event: string, progress: object): void => {
    io.to(workChannel(piece)).emit(event, {
      id: `work-${piece}`,
      kind: 'import',
      owner: 'publisher',
      at: timestamp(),
      ...progress,
    })
  }
  return {
    report: (piece, done, message) => tell(piece, 'progress', { done, total: 1_000_000, unit: 'rows', message }),
    async end(message) {
      for (let piece = 0; piece < pieces; piece++) tell(piece, 'completed', { message })
    },
  }
}

function authenticate(socket: Socket): boolean {
  const { token } = socket.handshake.auth as { token?: unknown }
  const user = typeof token === 'string' ? verifiedUser(token) : undefined
  socket.data = { user }
  return user !== undefined
}
