/** Where somebody is in the page. Kept in the fragment of the address, so that a reload needs nothing from the server. */
export type Place =
  | { readonly page: 'schedules' }
  | { readonly page: 'new'; readonly from?: string; readonly compare?: boolean }
  | { readonly page: 'schedule'; readonly id: string }
  | { readonly page: 'comparisons' }
  | { readonly page: 'comparison'; readonly id: string }
  | { readonly page: 'templates' }
  | { readonly page: 'template'; readonly id: string }
  | { readonly page: 'account' }
  | { readonly page: 'unknown' }

/** The place that a fragment names; `#` and nothing is the list of schedules. */
export function placeOf(fragment: string): Place {
  const [path = '', query = ''] = fragment.replace(/^#?\/?/, '').split('?')
  const [page = '', id] = path.split('/').map(decoded)
  if (page === '' || page === 'schedules') return id ? { page: 'schedule', id } : { page: 'schedules' }
  if (page === 'new') return newPlace(new URLSearchParams(query))
  if (page === 'comparisons') return id ? { page: 'comparison', id } : { page: 'comparisons' }
  if (page === 'templates') return id ? { page: 'template', id } : { page: 'templates' }
  if (page === 'account') return { page: 'account' }
  return { page: 'unknown' }
}

/** The fragment of a place, for links. */
export function hrefOf(place: Place): string {
  switch (place.page) {
    case 'schedules':
    case 'comparisons':
    case 'templates':
    case 'account':
      return `#/${place.page}`
    case 'schedule':
    case 'comparison':
    case 'template':
      return `#/${place.page}s/${encodeURIComponent(place.id)}`
    case 'new':
      return `#/new${queryOf(place)}`
    default:
      return '#/'
  }
}

function newPlace(query: URLSearchParams): Place {
  const from = query.get('from')
  return { page: 'new', ...(from ? { from } : {}), ...(query.has('compare') ? { compare: true } : {}) }
}

function queryOf({ from, compare }: { readonly from?: string; readonly compare?: boolean }): string {
  const query = new URLSearchParams({ ...(from ? { from } : {}), ...(compare ? { compare: 'yes' } : {}) })
  return query.size > 0 ? `?${query.toString()}` : ''
}

/** What cannot be decoded stands for itself; it then names nothing. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
