/**
 * A token for this user, from the server that served the page. Throws with the server's own words when it gives none.
 */
export async function fetchToken(user: string): Promise<string> {
  const response = await fetch('/demo/token', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user }),
  })
  const answer = (await response.json()) as { token?: string; error?: { message: string } }
  if (answer.token === undefined) throw new Error(answer.error?.message ?? 'The server gave no token')
  return answer.token
}
