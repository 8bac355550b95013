/** Makes something, unless it is there already, which is looked for where `isKeyed` says so: also when somebody else makes it in the same moment. */
export async function once<T>(
  isKeyed: boolean,
  find: () => Promise<T | undefined>,
  make: () => Promise<T>,
): Promise<T> {
  if (!isKeyed) return make()
  const there = await find()
  if (there !== undefined) return there
  try {
    return await make()
  } catch (error) {
    const meanwhile = await find()
    if (meanwhile === undefined) throw error
    return meanwhile
  }
}
