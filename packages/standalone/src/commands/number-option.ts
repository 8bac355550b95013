import { InvalidArgumentError } from 'commander'

/** The value of an option that takes a number from 0 up. */
export function amountOption(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value
  throw new InvalidArgumentError('It must be a number from 0 up.')
}

/** A reader for an option that takes a whole number between two others. */
export function wholeOption(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be an integer from ${min} to ${max}.`)
  }
}
