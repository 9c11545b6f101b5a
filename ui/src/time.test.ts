import { describe, expect, it } from 'vitest'
import { addDays, monday, startOfDay, wall, wallHours, weeksBetween } from './time'

const at = (text: string) => Date.parse(text)

describe('wall time', () => {
  const cases: [string, string, number][] = [
    ['2026-11-17T10:40:00Z', 'Europe/Paris', 11 + 40 / 60],
    ['2026-11-17T10:40:00Z', 'Asia/Kathmandu', 16 + 25 / 60],
    ['2026-11-17T02:10:00Z', 'America/St_Johns', 22 + 40 / 60],
    ['2026-03-29T00:59:00Z', 'Europe/Paris', 1 + 59 / 60],
    ['2026-03-29T01:00:00Z', 'Europe/Paris', 3],
    ['2026-11-16T23:00:00Z', 'Europe/Paris', 0],
  ]
  it.each(cases)('%s in %s', (instant, zone, hours) => {
    expect(wallHours(at(instant), zone)).toBeCloseTo(hours, 6)
  })

  it('takes the date from the zone, not from the computer', () => {
    expect(wall(at('2026-11-17T23:30:00Z'), 'Pacific/Auckland')).toMatchObject({ day: 18, hour: 12 })
  })
})

describe('the first instant of a day', () => {
  const cases: [string, [number, number, number], string, string][] = [
    ['an ordinary day', [2026, 11, 17], 'Europe/Paris', '2026-11-16T23:00:00Z'],
    ['the day the clocks go forward', [2026, 3, 29], 'Europe/Paris', '2026-03-28T23:00:00Z'],
    ['the day after', [2026, 3, 30], 'Europe/Paris', '2026-03-29T22:00:00Z'],
    ['the day the clocks go back', [2026, 10, 25], 'Europe/Paris', '2026-10-24T22:00:00Z'],
    ['a day without midnight', [2026, 4, 24], 'Africa/Cairo', '2026-04-23T22:00:00Z'],
    ['half an hour off', [2026, 7, 1], 'Australia/Adelaide', '2026-06-30T14:30:00Z'],
  ]
  it.each(cases)('%s', (_name, [year, month, day], zone, instant) => {
    expect(new Date(startOfDay({ year, month, day }, zone)).toISOString()).toBe(instant.replace('Z', '.000Z'))
  })
})

describe('weeks', () => {
  it('begin on Monday', () => {
    expect(monday({ year: 2026, month: 11, day: 22 })).toEqual({ year: 2026, month: 11, day: 16 })
    expect(monday({ year: 2026, month: 11, day: 16 })).toEqual({ year: 2026, month: 11, day: 16 })
    expect(monday({ year: 2027, month: 1, day: 1 })).toEqual({ year: 2026, month: 12, day: 28 })
  })
  it('are counted across a year', () => {
    const first = { year: 2026, month: 12, day: 21 }
    expect(weeksBetween(first, addDays(first, 14))).toBe(2)
  })
})
