/** What a terminal shows after it was written to: as much of one as our output needs (ECMA-48). Throws for a sequence that it does not know. */
export function screenAfter(output: string, columns: number, rows: number): string[] {
  const lines: string[][] = Array.from({ length: rows }, () => [])
  const cursor = { row: 0, column: 0 }
  let saved = { ...cursor }
  const down = (): void => {
    if (cursor.row < rows - 1) cursor.row += 1
    else {
      lines.shift()
      lines.push([])
    }
  }
  const put = (character: string): void => {
    if (cursor.column === columns) {
      cursor.column = 0
      down()
    }
    const line = lines[cursor.row] ?? []
    while (line.length < cursor.column) line.push(' ')
    line[cursor.column] = character
    cursor.column += 1
  }
  const commands: Record<string, (count: number) => void> = {
    A: (count) => (cursor.row = Math.max(cursor.row - Math.max(count, 1), 0)),
    K: () => void lines[cursor.row]?.splice(cursor.column),
    J: () => {
      lines[cursor.row]?.splice(cursor.column)
      for (const line of lines.slice(cursor.row + 1)) line.length = 0
    },
    m: () => {},
  }
  // oxlint-disable-next-line no-control-regex
  for (const [, csi, final = '', escape, character = ''] of output.matchAll(
    /\u001B\[([0-9;]*)([A-Za-z])|\u001B(.)|(.)/gsu,
  )) {
    if (csi !== undefined) {
      const command = commands[final]
      if (command === undefined) throw new Error(`an unknown sequence: CSI ${csi}${final}`)
      command(Number(csi) || 0)
    } else if (escape === '7') saved = { ...cursor }
    else if (escape === '8') Object.assign(cursor, saved)
    else if (escape === 'D') down()
    else if (escape !== undefined) throw new Error(`an unknown sequence: ESC ${escape}`)
    else if (character === '\r') cursor.column = 0
    else if (character === '\n') down()
    else put(character)
  }
  return lines.map((line) => line.join('').trimEnd())
}
