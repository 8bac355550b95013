/**
 * What an error reply asks for:
 * - `refuse`: the server will not do this now; the command fails, the link stays.
 * - `resolve`: this is not (or no longer) the server to ask: the command fails, the link is dropped, and where the server is gets found out anew.
 * - `follow`: the key is with another shard (`MOVED`): the command was not executed and is repeated there, once.
 * - `ask`: the key is on its way to another shard: the command was not executed and is repeated there after `ASKING`, once.
 * - `load`: the script is not known: it was not executed, and is repeated with its text.
 */
export type Remedy = 'refuse' | 'resolve' | 'follow' | 'ask' | 'load'

/** Error replies by their first word. Those that are not here are refusals. */
export const REMEDIES: Readonly<Record<string, Remedy>> = {
  LOADING: 'resolve',
  READONLY: 'resolve',
  MASTERDOWN: 'resolve',
  NOAUTH: 'resolve',
  WRONGPASS: 'resolve',
  CLUSTERDOWN: 'resolve',
  UNBLOCKED: 'resolve',
  MOVED: 'follow',
  ASK: 'ask',
  NOSCRIPT: 'load',
  BUSY: 'refuse',
  MISCONF: 'refuse',
  OOM: 'refuse',
  NOREPLICAS: 'refuse',
  NOPERM: 'refuse',
  TRYAGAIN: 'refuse',
  CROSSSLOT: 'refuse',
  WRONGTYPE: 'refuse',
  ERR: 'refuse',
}

/** What an error calls for; undefined when it is no reply of a server: then nobody knows what became of the command. */
export function remedyOf(error: unknown): Remedy | undefined {
  const word = replyWord(error)
  if (word === undefined) return undefined
  // Refused at the door, before any command: other words say the same of the password.
  if (word === 'ERR' && (error as Error).message.includes('max number of clients')) return 'resolve'
  return REMEDIES[word] ?? 'refuse'
}

/** Where `MOVED` and `ASK` point. An empty host stands for the server that said so. */
export function redirectOf(error: unknown): { readonly host: string; readonly port: number } | undefined {
  const [, , address = ''] = error instanceof Error ? error.message.split(' ') : []
  const colon = address.lastIndexOf(':')
  const port = Number(address.slice(colon + 1))
  return colon < 0 || !Number.isInteger(port) || port < 1 ? undefined : { host: address.slice(0, colon), port }
}

/** The first word of an error reply: in capitals, which no error of a socket or of the driver begins with. */
function replyWord(error: unknown): string | undefined {
  return error instanceof Error ? /^-?([A-Z][A-Z0-9_]+)(?: |$)/.exec(error.message)?.[1] : undefined
}
