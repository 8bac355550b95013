import { Holdfast } from '@holdfast/client'
import { ConnectionPanel } from './connection-panel.js'
import { type CuttableNetwork, createCuttableNetwork } from './cuttable-network.js'
import { JobsPanel } from './jobs-panel.js'
import { note } from './journal.js'
import { OperationPanel } from './operation-panel.js'
import { RoomPanel } from './room-panel.js'
import { askedOperation, askedUser, showSingle } from './single-view.js'
import { showCommands } from './terminal-panel.js'
import { startTheme } from './theme.js'
import { fetchToken } from './token.js'
import { visitorName } from './visitor.js'

function start(): void {
  startTheme()
  const single = askedOperation()
  const user = single === undefined ? visitorName() : askedUser()
  const network = createCuttableNetwork()
  const client = new Holdfast('/ws', {
    token: () => fetchToken(user),
    WebSocket: network.WebSocket,
    name: 'holdfast-demo',
    connect: false,
  })
  client.on('error', (error) => note(error.message, 'bad'))
  new JobsPanel(client, user, single)
  if (single === undefined) startDemo(client, network, user)
  else startSingle(client, network, user, single)
}

function startDemo(client: Holdfast, network: CuttableNetwork, user: string): void {
  const operation = new OperationPanel(client, (id) => showCommands({ operation: id, user }))
  const room = new RoomPanel(client, user)
  new ConnectionPanel(client, network, user, {
    lost() {
      room.markLost()
      operation.markStale(true)
    },
    found: () => operation.markStale(false),
  })
  showCommands({ operation: undefined, user })
  client.connect()
  void operation.open()
}

function startSingle(client: Holdfast, network: CuttableNetwork, user: string, operation: string): void {
  new ConnectionPanel(client, network, user, { lost() {}, found() {} })
  showSingle(client, operation, user)
  client.connect()
}

start()
