/** How wide letters of a bar are at most, in pixels: fonts differ, and it is better to say less than to write over the next bar. */
const WIDTHS: readonly (readonly [letters: RegExp, px: number])[] = [
  [/[-.,:;'|()[\]/ ijlIftr]/, 5.2],
  [/[MWmw@%]/, 11.5],
  [/[\dA-Z_]/, 8.6],
]
const OTHERS_PX = 7.8
/** Fewer letters of a name say nothing. */
const LETTERS_MIN = 4

/** What of a name stands in so many pixels: all of it, or its end, by which lots differ. Empty where too little would be left. */
export function barLabel(name: string, roomPx: number): string {
  const letters = Array.from(name)
  if (widthOf(letters) <= roomPx) return name
  let [left, first] = [roomPx - OTHERS_PX, letters.length]
  while (first > 0 && left >= widthOf([letters[first - 1] ?? ''])) {
    first -= 1
    left -= widthOf([letters[first] ?? ''])
  }
  return letters.length - first < LETTERS_MIN ? '' : `…${letters.slice(first).join('')}`
}

function widthOf(letters: readonly string[]): number {
  const widths = letters.map((letter) => WIDTHS.find(([these]) => these.test(letter))?.[1] ?? OTHERS_PX)
  return widths.reduce((sum, px) => sum + px, 0)
}
