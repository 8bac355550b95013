const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** `1,000,000`. */
export function count(value: number): string {
  return whole.format(value)
}

/** A note of an activity; numbers of vials can be read at a glance: `1,000,000 vials`. */
export function noteWords(note: string | null | undefined): string {
  return (note ?? '').replace(/^\d{4,15}(?= vials$)/, (vials) => count(Number(vials)))
}

/** With the word in the right number: `1 lot`, `500 lots`. */
export function counted(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? '' : 's'}`
}

/** Hours with one decimal: `497.2 h`; a dash where there are none. */
export function hours(value: number | null | undefined, decimals: 0 | 1 | 2 = 1): string {
  return value == null ? '–' : `${fixed(value, decimals)} h`
}

/** `71.0 %`, of 0 to 100; a dash where there is none. */
export function percent(value: number | null | undefined): string {
  return value == null ? '–' : `${fixed(value, 1)} %`
}

/** A difference with its sign: `−32.0`, `+4.0`, `±0`. */
export function difference(value: number, decimals: 0 | 1 | 2 = 1): string {
  const text = fixed(Math.abs(value), decimals)
  if (Number(text.replaceAll(',', '')) === 0) return '±0'
  return `${value < 0 ? '−' : '+'}${text}`
}

/** With so many decimals: `1,568.7`. */
export function fixed(value: number, decimals: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}
