import { describe, expect, it } from 'vitest'
import { type Place, hrefOf, placeOf } from './place.js'

describe('a place', () => {
  it.each<Place>([
    { page: 'schedules' },
    { page: 'schedule', id: 'a/b ?#%' },
    { page: 'new' },
    { page: 'new', from: 'x&y', compare: true },
    { page: 'comparisons' },
    { page: 'comparison', id: '7' },
    { page: 'templates' },
    { page: 'template', id: 'new' },
    { page: 'account' },
  ])('%j is found again by its address', (place) => expect(placeOf(hrefOf(place))).toEqual(place))

  it('is the list without an address, and unknown where the address means nothing', () => {
    expect(['', '#', '#/', '#/nowhere', '#/schedules/%zz'].map(placeOf)).toEqual([
      { page: 'schedules' },
      { page: 'schedules' },
      { page: 'schedules' },
      { page: 'unknown' },
      { page: 'schedule', id: '%zz' },
    ])
  })
})
