/** What is in a file of lots: its text, or in words why it has none. */
export type FileText = { readonly text: string } | { readonly problem: string }

/** How workbooks begin, of today and of before 2007. */
const WORKBOOKS = ['504b0304', 'd0cf11e0']
const SAVE = 'Save it as “CSV UTF-8” and take that file.'

/** Reads a file as planners have it: UTF-8, or what begins as UTF-16 does. Nothing that would be lost is guessed. */
export async function fileText(file: Blob): Promise<FileText> {
  const buffer = await file.arrayBuffer().catch(() => undefined)
  if (buffer === undefined) return { problem: 'This cannot be read. Was it moved, or is it a folder?' }
  return textOf(new Uint8Array(buffer))
}

function textOf(bytes: Uint8Array<ArrayBuffer>): FileText {
  const beginning = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join('')
  if (WORKBOOKS.includes(beginning)) return { problem: `This is an Excel workbook. ${SAVE}` }
  const encoding = beginning.startsWith('fffe') ? 'utf-16le' : beginning.startsWith('feff') ? 'utf-16be' : 'utf-8'
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes) }
  } catch {
    return { problem: `This is no UTF-8 text, and letters such as ü would be lost. ${SAVE}` }
  }
}
