/** What makes spreadsheets take a text for a formula, at its beginning or behind what some of them take for the end of a cell. The last four are the full-width forms. */
const FORMULA = /(?<=^|[;\t\r\n|])(?=[=+\-@\t\r\n＝＋－＠])/g

const NEEDS_QUOTES = /[",;|\t\r\n']|^\s|\s$/

/** A cell that holds text of users: never a formula, at the price of an apostrophe before what would be one. */
export function textCell(text: string): string {
  return text.replaceAll(FORMULA, "'")
}

/** Rows as CSV (RFC 4180): commas, CRLF, quotes where they are needed. Cells must have gone through `textCell` where users wrote them. */
export function csvText(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(quoted).join(',')}\r\n`).join('')
}

function quoted(cell: string): string {
  return NEEDS_QUOTES.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}
