/** About how wide letters of a bar are, in pixels, in the wider ones of the fonts that systems have. */
const WIDTHS: readonly (readonly [letters: RegExp, px: number])[] = [
  [/[-.,:;'|()[\]/ ijlIftr]/, 4.8],
  [/[MWmw@%]/, 10.8],
  [/[\dA-Z_]/, 8],
]
const OTHERS_PX = 7.2
/** Fewer letters of a name say nothing. */
const LETTERS_MIN = 3

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
