/** Rows as columns of text, two spaces apart; numbers stand to the right. The first row is the heading. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const isNumber = widths.map((_, column) =>
    rows.slice(1).every((row) => /^(?:[-+]?[\d.]+(?: %)?|-|)$/.test(row[column] ?? '')),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (isNumber[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return rows.map((row, at) => `${line(row)}\n${at === 0 ? `${rule}\n` : ''}`).join('')
}
