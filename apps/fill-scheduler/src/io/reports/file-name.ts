import { visible } from './visible-text.js'

/** What some system does not allow in the name of a file, or reads as something else; spaces that are none. */
const FORBIDDEN = /[/\\:*?"<>|\uFFFD\s]+/gu

/** Names of devices of Windows, which are no files whatever their ending. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i

/** In bytes; with an ending it stays below the 255 that systems allow. */
const BYTES_MAX = 120

/** A name for a file that every system accepts and that is in no other folder, made of what users call a thing: `Week 1/2` is `Week_1_2.csv`. */
export function fileName(title: string, extension: string): string {
  const plain = visible(title)
    .replaceAll(FORBIDDEN, '_')
    .replaceAll(/^[-._]+|[._]+$/g, '')
  const stem = cut(plain)
  const safe = stem === '' || DEVICE.test(stem) ? `schedule${stem === '' ? '' : `_${stem}`}` : stem
  return `${safe}.${extension}`
}

function cut(text: string): string {
  let short = ''
  for (const character of text) {
    if (Buffer.byteLength(short + character) > BYTES_MAX) break
    short += character
  }
  return short
}
