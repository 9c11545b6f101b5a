import { describe, expect, it } from 'vitest'
import type { BookingView, BusyView, Schedule } from '../bridge/types'
import { assignLanes, layoutWeek, type Placed } from './layout'

const MONDAY = { year: 2026, month: 11, day: 16 }
const NOW = Date.parse('2026-11-17T10:40:00Z')

const booking = (start: string, end: string, id = start): BookingView => ({
  id, start, end, service: 'Haircut', customer: 'Camille Roy', pending: false, placement: 'synced',
})
const busy = (start: string, end: string, more: Partial<BusyView> = {}): BusyView => ({
  calendar: 'c', title: 'Dentist', all_day: false,
  start, end, blocks_from: start, blocks_to: end, block: null, ...more,
})
const schedule = (parts: Partial<Schedule>): Schedule => ({
  from: '2026-11-01T00:00:00Z', to: '2027-01-01T00:00:00Z', bookings: [], busy: [], clashes: [], unblocked: [], working: null, ...parts,
})
const paris = (parts: Partial<Schedule>, monday = MONDAY) => layoutWeek(schedule(parts), monday, 'Europe/Paris', NOW)

describe('a week', () => {
  it('places a booking at the wall time of the vendor', () => {
    const day = paris({ bookings: [booking('2026-11-17T08:00:00Z', '2026-11-17T09:30:00Z')] }).days[1]!
    expect(day.bookings[0]).toMatchObject({ from: 9, to: 10.5, past: true, lanes: 1 })
  })

  it('draws the now-line on one day alone', () => {
    expect(paris({}).days.map((day) => day.now !== null)).toEqual([false, true, false, false, false, false, false])
    expect(paris({}, { year: 2026, month: 11, day: 23 }).days.every((day) => day.now === null)).toBe(true)
  })

  it('stretches its hours to what is in it', () => {
    expect(paris({})).toMatchObject({ fromHour: 8, toHour: 19, empty: true })
    const week = paris({ busy: [busy('2026-11-18T05:30:00Z', '2026-11-18T06:00:00Z')] })
    expect(week).toMatchObject({ fromHour: 6, toHour: 19, empty: false })
  })

  it('cuts what runs over midnight into two days', () => {
    const { days } = paris({ busy: [busy('2026-11-17T21:00:00Z', '2026-11-18T01:00:00Z')] })
    expect(days[1]!.busy[0]).toMatchObject({ from: 22, to: 24 })
    expect(days[2]!.busy[0]).toMatchObject({ from: 0, to: 2 })
  })

  it('keeps whole days out of the hours', () => {
    const holiday = busy('2026-11-17T23:00:00Z', '2026-11-18T23:00:00Z', { all_day: true })
    const week = paris({ busy: [holiday] })
    expect(week.days.map((day) => day.allDay.length)).toEqual([0, 0, 1, 0, 0, 0, 0])
    expect(week).toMatchObject({ fromHour: 8, toHour: 19 })
  })

  it('shows the buffer around an event', () => {
    const { days } = paris({
      busy: [busy('2026-11-17T12:00:00Z', '2026-11-17T13:00:00Z', { blocks_to: '2026-11-17T13:15:00Z' })],
    })
    expect(days[1]!.busy[0]).toMatchObject({ from: 13, coreFrom: 13, coreTo: 14, to: 14.25 })
  })

  it('writes the name of an event below what lies over it', () => {
    const name = (...bookings: [string, string][]) =>
      paris({
        busy: [busy('2026-11-17T12:00:00Z', '2026-11-17T14:00:00Z')],
        bookings: bookings.map(([from, to]) => booking(`2026-11-17T${from}:00Z`, `2026-11-17T${to}:00Z`)),
      }).days[1]!.busy[0]!.nameFrom
    expect(name()).toBe(13)
    expect(name(['11:00', '12:30'])).toBe(13.5)
    expect(name(['13:00', '14:00'])).toBe(13)
    expect(name(['12:15', '12:45'], ['13:00', '13:30'])).toBe(14.5)
    expect(name(['11:30', '13:45'])).toBeNull()
  })

  it('gives an hour that comes twice its real length', () => {
    const monday = { year: 2026, month: 10, day: 19 }
    const { days } = paris({ bookings: [booking('2026-10-25T00:30:00Z', '2026-10-25T01:00:00Z')] }, monday)
    expect(days[6]!.bookings[0]).toMatchObject({ from: 2.5, to: 3 })
  })

  it('keeps a clash beside the booking it would hide', () => {
    const parts = (end: string) => ({
      bookings: [booking('2026-11-17T12:00:00Z', '2026-11-17T14:00:00Z', 'b')],
      clashes: [{ booking: 'b', start: '2026-11-17T12:00:00Z', end }],
    })
    expect(paris(parts('2026-11-17T12:30:00Z')).days[1]!.clashes[0]).toMatchObject({ narrow: false, from: 13 })
    expect(paris(parts('2026-11-17T13:30:00Z')).days[1]!.clashes[0]).toMatchObject({ narrow: true })
  })
})

describe('lanes', () => {
  const lanes = (...spans: [number, number][]) => {
    const pieces: Placed[] = spans.map(([from, to]) => ({ from, to, lane: 0, lanes: 1 }))
    assignLanes(pieces)
    return pieces.map((piece) => [piece.from, piece.lane, piece.lanes])
  }
  it('are not needed by what only touches', () => {
    expect(lanes([9, 10], [10, 11])).toEqual([[9, 0, 1], [10, 0, 1]])
  })
  it('are as few as overlap at once', () => {
    expect(lanes([9, 12], [9.5, 10], [10, 11])).toEqual([[9, 0, 2], [9.5, 1, 2], [10, 1, 2]])
  })
})
