import { EXIT } from '../failure.js'
import { type Shell, interruption } from '../shell.js'
import { type Declare, addRemoteOptions, examples } from './command.js'
import { readJsonText } from './json-argument.js'
import { connect, refused } from './remote.js'
import type { RemoteOptions } from './server-access.js'

/** The flags of `holdfast publish`. */
interface PublishOptions extends RemoteOptions {
  readonly event: string
  readonly key?: string
}

/** `holdfast publish`. */
export const declarePublish: Declare = (command, { shell, end }) => {
  command
    .argument('<channel>', 'channel, such as room:lobby')
    .argument('<json>', 'data of the message, as JSON')
    .option('--event <event>', 'event of the message', 'message')
    .option('--key <key>', 'idempotency key: the same key publishes once')
  addRemoteOptions(command)
    .addHelpText('after', examples(`holdfast publish room:lobby '{"text":"hello"}' --event chat --tenant demo`))
    .action(async (channel: string, json: string, options: PublishOptions) => {
      end(await publish(channel, json, options, shell))
    })
}

/** Publishes one message and prints where it stands, as a line of JSON: `{"offset", "epoch", "id", "duplicate"}`. */
async function publish(channel: string, json: string, options: PublishOptions, shell: Shell): Promise<number> {
  const data = readJsonText('JSON', json)
  const signal = interruption(shell)
  const { client } = await connect(options, shell, signal)
  try {
    const key = options.key === undefined ? {} : { key: options.key }
    const { offset, epoch, id, duplicate } = await client
      .channel(channel)
      .publish(options.event, data, { ...key, signal })
    shell.stdout.write(`${JSON.stringify({ offset, epoch, id, duplicate })}\n`)
    return EXIT.done
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted
    throw refused(`not published to ${channel}`, error)
  } finally {
    client.disconnect()
  }
}
