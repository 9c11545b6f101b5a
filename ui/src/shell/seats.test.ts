import { expect, test } from 'vitest'
import { after, initials } from './seats'

test('a name shows its first letters, whatever it is written in', () => {
  expect(initials('Studio Lumière')).toBe('SL')
  expect(initials('Zoé')).toBe('Z')
  expect(initials('anne-marie de la Tour')).toBe('AT')
  expect(initials('美容 室')).toBe('美室')
  expect(initials('& Filles')).toBe('F')
  expect(initials('')).toBe('')
})

test('arrows go round, and other keys lead nowhere', () => {
  expect(after('ArrowDown', 2, 3)).toBe(0)
  expect(after('ArrowUp', 0, 3)).toBe(2)
  expect(after('Home', 2, 3)).toBe(0)
  expect(after('End', 0, 3)).toBe(2)
  expect(after('a', 0, 3)).toBeNull()
  expect(after('ArrowDown', -1, 3)).toBe(0)
  expect(after('ArrowDown', 0, 0)).toBeNull()
})
