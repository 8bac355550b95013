import { asyncApiDocument, openApiDocument } from '@holdfast/server'
import { type Declare, examples } from './command.js'

/** `holdfast openapi`: the documents that describe a server, without one. */
export const declareOpenapi: Declare = (command, { shell }) => {
  command
    .option('--asyncapi', 'the AsyncAPI document of the WebSocket side in its place')
    .addHelpText('after', examples('holdfast openapi > openapi.json', 'holdfast openapi --asyncapi > asyncapi.json'))
    .action(({ asyncapi }: { asyncapi?: boolean }) => {
      shell.stdout.write(`${JSON.stringify(asyncapi ? asyncApiDocument() : openApiDocument(), undefined, 2)}\n`)
    })
}
