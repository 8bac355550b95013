/** What no reader shows as it is, or what turns the text around it: controls, directional overrides, halves of surrogate pairs. */
const INVISIBLE =
  /[\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069\uFEFF\uFFFE\uFFFF]|\p{Surrogate}/gu

/** Text of users for people to read: each character that is not visible becomes U+FFFD, so that it cannot pass for another text nor steer a terminal. */
export function visible(text: string): string {
  return text.replaceAll(INVISIBLE, '\uFFFD')
}
