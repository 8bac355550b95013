/** One value of the Redis protocol, in either version. `text` of a bulk is decoded on demand, because most bulks are only passed on. */
export type RespValue =
  | { readonly kind: 'simple' | 'error' | 'number'; readonly text: string }
  | { readonly kind: 'bulk'; readonly bytes: Buffer }
  | { readonly kind: 'list' | 'push' | 'map'; readonly items: readonly RespValue[] }
  | { readonly kind: 'null' }

/** The words of a value as text: '' where there are none. */
export function textOf(value: RespValue | undefined): string {
  if (value?.kind === 'bulk') return value.bytes.toString('utf8')
  return value !== undefined && 'text' in value ? value.text : ''
}

/** The members of a list, a push or a map (keys and values in turn); none for anything else. */
export function itemsOf(value: RespValue | undefined): readonly RespValue[] {
  return value !== undefined && 'items' in value ? value.items : []
}

/** A command as a client sends it. */
export function encodeCommand(words: readonly string[]): Buffer {
  const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  return Buffer.from(`*${words.length}\r\n${bulks.join('')}`)
}

/** An error as a server sends it: `READONLY You can't write against a read only replica.` */
export function encodeError(message: string): Buffer {
  return Buffer.from(`-${message}\r\n`)
}
