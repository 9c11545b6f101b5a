import { expect, it } from 'vitest'
import { PLACES, placeOf } from './places'

it('every place has its number, and the settings the comma that they have everywhere', () => {
  expect(PLACES.map((_, index) => placeOf(String(index + 1)))).toEqual(PLACES.map((place) => place.id))
  expect(placeOf(',')).toBe('settings')
})

it('a key that leads nowhere is left to whoever else wants it', () => {
  for (const key of ['0', '8', '9', 'r', '']) expect(placeOf(key), key).toBeNull()
})
