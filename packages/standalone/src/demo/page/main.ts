import { Holdfast } from '@holdfast/client'
import { ConnectionPanel } from './connection-panel.js'
import { createCuttableNetwork } from './cuttable-network.js'
import { note } from './journal.js'
import { OperationPanel } from './operation-panel.js'
import { RoomPanel } from './room-panel.js'
import { showCommands } from './terminal-panel.js'
import { startTheme } from './theme.js'
import { fetchToken } from './token.js'
import { visitorName } from './visitor.js'

function start(): void {
  startTheme()
  const user = visitorName()
  const network = createCuttableNetwork()
  const client = new Holdfast('/ws', {
    token: () => fetchToken(user),
    WebSocket: network.WebSocket,
    name: 'holdfast-demo',
    connect: false,
  })
  client.on('error', (error) => note(error.message, 'bad'))
  const operation = new OperationPanel(client, (id) => showCommands({ operation: id, user }))
  const room = new RoomPanel(client, user)
  new ConnectionPanel(client, network, user, {
    lost() {
      room.markLost()
      operation.markStale(true)
    },
    found: () => operation.markStale(false),
    takeRecovered: () => room.takeRecovered(),
  })
  showCommands({ operation: undefined, user })
  client.connect()
  void operation.open()
}

start()
