import { expect, it } from 'vitest'
import { fault, proposed } from './days'

it('a month from today is proposed, over the end of a year too', () => {
  expect(proposed({ year: 2026, month: 12, day: 15 })).toEqual({ from: '2026-12-15', to: '2027-01-14' })
})

it('a range that cannot be written says why', () => {
  expect(fault('2026-11-17', '2026-11-17')).toBeNull()
  expect(fault('2026-11-17', '2026-11-16')).toBe('reversed')
  expect(fault('', '2026-11-16')).toBe('missing')
  expect(fault('2026-11-17', '2031-11-16')).toBeNull()
  expect(fault('2026-11-17', '2031-11-17')).toBe('long')
})
