import type { OperationSnapshot } from '@holdfast/protocol'
import { COMMAND_LINE_USER, DEMO_TENANT } from '../../demo/tenant.js'
import type { RemoteOptions, ServerAccess } from '../server-access.js'

/** Which operation, and whose: what the server said of it, or what it will be told. */
export type Hinted = Pick<OperationSnapshot, 'id' | 'tenant' | 'owner'>

/** How others see a run: the command, as its owner and where this one found the server; the page, too, where it is that of the demo on this machine. */
export function watchHint({ id, tenant, owner }: Hinted, options: RemoteOptions, access: ServerAccess): string {
  const command = ['npx holdfast watch', id, ...flagsFor(tenant, owner, options, access)].join(' ')
  if (tenant !== DEMO_TENANT || !hasDemo(access) || owner.startsWith('key:')) return command
  const as = owner === COMMAND_LINE_USER ? '' : `&user=${encodeURIComponent(owner)}`
  return `${command}, or at ${access.origin}/?operation=${encodeURIComponent(id)}${as}`
}

/** A token that was given says whose it is. */
function flagsFor(tenant: string, owner: string, { url, config }: RemoteOptions, { ownToken }: ServerAccess): string[] {
  const whose = {
    ...(tenant !== DEMO_TENANT && { tenant }),
    ...(owner !== COMMAND_LINE_USER && { user: owner }),
  }
  const flags = { ...(ownToken && whose), url, config }
  return Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${quoted(value)}`]))
}

function hasDemo({ configuration, origin }: ServerAccess): boolean {
  return (
    configuration.environment === 'development' && /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(new URL(origin).hostname)
  )
}

function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
