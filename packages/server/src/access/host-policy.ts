/** A host, or an address in brackets, and perhaps a port (RFC 9110, 7.2). */
const FORM = /^(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?)(?::\d{1,5})?$/i

/** The name in a Host header, in lower case and without its port; undefined where it is none. */
export function hostName(host: string): string | undefined {
  return FORM.exec(host)?.[1]?.toLowerCase()
}

/** Whether a name can only mean the machine that asks: no page of another site can have it. */
export function isLoopbackName(name: string): boolean {
  return name === '[::1]' || /(?:^|\.)localhost$/.test(name) || /^127(?:\.\d{1,3}){3}$/.test(name)
}

/**
 * For which names a node answers. A page whose name was pointed at this machine (DNS rebinding) sends its own name, and its scripts would count as ours. The
 * names of the machine itself are always answered.
 */
export class HostPolicy {
  readonly #names: ReadonlySet<string> | undefined
  readonly #isLocal: () => boolean

  /** `names`: the names in lower case; undefined: any, unless `isLocal`, which says whether only the names of the machine itself are meant. */
  constructor(names: readonly string[] | undefined, isLocal: () => boolean) {
    this.#names = names && new Set(names)
    this.#isLocal = isLocal
  }

  /** Whether a request to this Host is answered; undefined: it names none. */
  admits(host: string | undefined): boolean {
    if (this.#names === undefined && !this.#isLocal()) return true
    const name = host === undefined ? undefined : hostName(host)
    return name !== undefined && (isLoopbackName(name) || (this.#names?.has(name) ?? false))
  }
}
