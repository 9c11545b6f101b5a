// A week with five hundred events, to measure how fast it is drawn. Invented, and the same every time.

import { startOfDay, addDays, monday, wall } from '../time'
import type { BookingView, BusyView, Overview } from './types'

const EVENTS = 500
const MINUTE_MS = 60_000
const CALENDARS = ['personal', 'work', 'family', 'school']

/** Every third is a booking; all of them begin between eight and seven, a few minutes apart. */
export function packed(shown: Overview): Overview {
  const zone = shown.vendor?.time_zone ?? 'UTC'
  const first = monday(wall(Date.parse(shown.now), zone))
  const bookings: BookingView[] = []
  const busy: BusyView[] = []
  for (let index = 0; index < EVENTS; index += 1) {
    const begins = startOfDay(addDays(first, index % 7), zone) + (8 * 60 + Math.floor(index / 7) * 9) * MINUTE_MS
    const start = new Date(begins).toISOString()
    const end = new Date(begins + (index % 2 ? 30 : 45) * MINUTE_MS).toISOString()
    if (index % 3 === 0) {
      bookings.push({ id: `p${index}`, start, end, service: 'Haircut', customer: `Guest ${index}`, pending: index % 12 === 0, placement: 'synced' })
    } else {
      const calendar = CALENDARS[index % CALENDARS.length]!
      busy.push({ calendar, title: `Event ${index}`, all_day: false, start, end, blocks_from: start, blocks_to: end, block: null })
    }
  }
  return { ...shown, schedule: { ...shown.schedule, bookings, busy, clashes: [], unblocked: [] } }
}

/** The same week after the first booking has moved by a quarter of an hour. */
export function oneMoved(shown: Overview): Overview {
  const later = (instant: string) => new Date(Date.parse(instant) + 15 * MINUTE_MS).toISOString()
  const bookings = shown.schedule.bookings.map((booking, index) =>
    index === 0 ? { ...booking, start: later(booking.start), end: later(booking.end) } : booking,
  )
  return { ...shown, schedule: { ...shown.schedule, bookings } }
}
