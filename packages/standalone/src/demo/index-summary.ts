/** The steps of an index, in their order. */
export const INDEX_PHASES = ['Listing', 'Reading', 'Summarising'] as const

const LARGEST_COUNT = 10
const EXTENSIONS_COUNT = 12

/** What is known of one file. */
export interface FileRecord {
  /** Relative to the directory that is indexed. */
  readonly path: string
  /** In lower case with its dot; empty without one. */
  readonly extension: string
  readonly bytes: number
  /** 0 for a file that is not text. */
  readonly lines: number
  readonly readable: boolean
}

/** Files that share an extension. */
export interface ExtensionSummary {
  /** `.ts`; `(none)` for files without one; `(others)` for what is beyond the first twelve. */
  readonly extension: string
  readonly files: number
  readonly bytes: number
  readonly lines: number
}

/** The outcome of an index. */
export interface IndexSummary {
  readonly files: number
  readonly directories: number
  readonly bytes: number
  readonly lines: number
  /** Symbolic links, which are not followed. */
  readonly links: number
  /** Files and directories that could not be read. */
  readonly unreadable: number
  /** The ten largest files, largest first. */
  readonly largest: readonly { readonly path: string; readonly bytes: number }[]
  /** The twelve extensions with the most bytes, and all others as one; most bytes first. */
  readonly extensions: readonly ExtensionSummary[]
}

/** Sums up an index; `onRecord` hears of each file as it is counted. */
export function summarise(
  records: readonly FileRecord[],
  listing: { readonly directories: number; readonly links: number; readonly unreadable: number },
  onRecord: (path: string) => void,
): IndexSummary {
  const groups = new Map<string, FileRecord[]>()
  for (const record of records) {
    const key = record.extension || '(none)'
    const group = groups.get(key)
    if (group) group.push(record)
    else groups.set(key, [record])
    onRecord(record.path)
  }
  const all = total('', records)
  return {
    files: all.files,
    directories: listing.directories,
    bytes: all.bytes,
    lines: all.lines,
    links: listing.links,
    unreadable: listing.unreadable + records.filter((record) => !record.readable).length,
    largest: largestOf(records),
    extensions: extensionsOf(groups),
  }
}

function total(
  extension: string,
  records: readonly { bytes: number; lines: number; files?: number }[],
): ExtensionSummary {
  const sum = { extension, files: 0, bytes: 0, lines: 0 }
  for (const record of records) {
    sum.files += record.files ?? 1
    sum.bytes += record.bytes
    sum.lines += record.lines
  }
  return sum
}

function largestOf(records: readonly FileRecord[]): { path: string; bytes: number }[] {
  return records
    .toSorted((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1))
    .slice(0, LARGEST_COUNT)
    .map(({ path, bytes }) => ({ path, bytes }))
}

function extensionsOf(groups: Map<string, FileRecord[]>): ExtensionSummary[] {
  const sums = [...groups].map(([extension, records]) => total(extension, records)).sort((a, b) => b.bytes - a.bytes)
  const others = sums.slice(EXTENSIONS_COUNT)
  return others.length > 0 ? [...sums.slice(0, EXTENSIONS_COUNT), total('(others)', others)] : sums
}
