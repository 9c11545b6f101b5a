// Where each booking and busy stretch stands in a week of seven columns. Pure: instants and a zone in, hours of the
// wall clock out.

import type { BookingView, BusyView, ClashView, Schedule, UnblockedView } from '../bridge/types'
import { addDays, sameDay, startOfDay, wall, wallHours, type CivilDate } from '../time'

/** A piece of something within one day, in hours of that day's wall clock. */
export interface Placed {
  from: number
  to: number
  /** Which of `lanes` equal lanes it stands in. */
  lane: number
  lanes: number
}

export interface PlacedBooking extends Placed {
  booking: BookingView
  past: boolean
}

export interface PlacedBusy extends Placed {
  busy: BusyView
  /** Where the event itself begins and ends; around it lies the buffer. */
  coreFrom: number
  coreTo: number
  /** From which hour on its name can be read, below whatever covers it; null where there is no room. */
  nameFrom: number | null
}

export interface PlacedClash {
  clash: ClashView
  from: number
  to: number
  /** It would hide most of the booking, so it stands beside it. */
  narrow: boolean
}

export interface PlacedOpen {
  span: UnblockedView
  from: number
  to: number
}

export interface Day {
  date: CivilDate
  bookings: PlacedBooking[]
  busy: PlacedBusy[]
  clashes: PlacedClash[]
  /** What can be booked just this once. */
  open: PlacedOpen[]
  /** When she works; null where Bookiji does not say so. */
  working: { from: number; to: number }[] | null
  /** Stretches that fill the whole day. */
  allDay: BusyView[]
  /** The now-line, on one day of one week. */
  now: number | null
}

export interface Week {
  monday: CivilDate
  days: Day[]
  /** The hours that are drawn. */
  fromHour: number
  toHour: number
  /** Anything at all is in it. */
  empty: boolean
}

/** Drawn even in an empty week. */
const FROM_HOUR = 8
const TO_HOUR = 19
/** What is shorter than this is drawn as if it were this long. */
const SHORTEST_HOURS = 0.25
/** A line of text needs this much of the day. */
const LINE_HOURS = 0.4
const DAY_MS = 86_400_000

/** Lays out the week that begins on `monday`. */
export function layoutWeek(schedule: Schedule, monday: CivilDate, zone: string, now: number): Week {
  const timed: Timed = {
    bookings: schedule.bookings.map((booking) => ({ booking, from: Date.parse(booking.start), to: Date.parse(booking.end) })),
    busy: schedule.busy.map((busy) => ({ busy, from: Date.parse(busy.blocks_from), to: Date.parse(busy.blocks_to) })),
  }
  const days = Array.from({ length: 7 }, (_, index) => layoutDay(schedule, timed, addDays(monday, index), zone, now))
  const pieces = days.flatMap((day): { from: number; to: number }[] => [...day.bookings, ...day.busy, ...(day.working ?? [])])
  const fromHour = Math.floor(Math.min(FROM_HOUR, ...pieces.map((piece) => piece.from)))
  const toHour = Math.ceil(Math.max(TO_HOUR, ...pieces.map((piece) => piece.to)))
  const empty = days.every((day) => day.bookings.length + day.busy.length + day.allDay.length === 0)
  return { monday, days, fromHour, toHour, empty }
}

/** What a schedule holds, with its instants read once for all seven days. */
interface Timed {
  bookings: { booking: BookingView; from: number; to: number }[]
  busy: { busy: BusyView; from: number; to: number }[]
}

function layoutDay(schedule: Schedule, timed: Timed, date: CivilDate, zone: string, now: number): Day {
  const start = startOfDay(date, zone)
  const end = startOfDay(addDays(date, 1), zone)
  const within = (from: string, to: string) => cut(Date.parse(from), Date.parse(to), start, end, zone)

  const bookings: PlacedBooking[] = []
  for (const { booking, from, to } of timed.bookings) {
    const piece = cut(from, to, start, end, zone)
    if (piece) bookings.push({ ...piece, lane: 0, lanes: 1, booking, past: to <= now })
  }

  const busy: PlacedBusy[] = []
  const allDay: BusyView[] = []
  for (const { busy: stretch, from, to } of timed.busy) {
    const piece = cut(from, to, start, end, zone)
    if (!piece) continue
    if (stretch.all_day || (from <= start && to >= end)) {
      allDay.push(stretch)
      continue
    }
    const bare = stretch.start === stretch.blocks_from && stretch.end === stretch.blocks_to
    const core = bare ? piece : (within(stretch.start, stretch.end) ?? piece)
    busy.push({ ...piece, lane: 0, lanes: 1, busy: stretch, coreFrom: core.from, coreTo: core.to, nameFrom: null })
  }

  assignLanes(bookings)
  assignLanes(busy)
  const open = schedule.unblocked.flatMap((span) => {
    const piece = within(span.start, span.end)
    // Once somebody has booked it, the booking says it all.
    const booked = piece && bookings.some((placed) => placed.from < piece.to && piece.from < placed.to)
    return piece && !booked ? [{ span, ...piece }] : []
  })
  const over = [...bookings, ...open].sort((a, b) => a.from - b.from)
  for (const placed of busy) placed.nameFrom = nameFrom(placed, over)
  return {
    date,
    bookings,
    busy,
    clashes: layoutClashes(schedule, bookings, within),
    open,
    working: schedule.working?.flatMap((span) => within(span.start, span.end) ?? []) ?? null,
    allDay,
    now: sameDay(wall(now, zone), date) ? wallHours(now, zone) : null,
  }
}

/** The part of a stretch that lies in one day, as the wall clock of that day reads. */
export function cut(from: number, to: number, start: number, end: number, zone: string) {
  if (to <= start || from >= end || from >= to) return null
  // Where the clocks run evenly from midnight to midnight, nobody has to be asked what they show.
  const even = end - start === DAY_MS
  const hours = (instant: number) => (even ? Math.floor((instant - start) / 60_000) / 60 : wallHours(instant, zone))
  const first = from <= start ? 0 : hours(from)
  let last = to >= end ? 24 : hours(to)
  // Where the clocks go back an hour comes twice, and wall time alone would end before it begins.
  if (last <= first) last = Math.min(24, first + (Math.min(to, end) - Math.max(from, start)) / 3_600_000)
  return { from: Math.min(first, 24 - SHORTEST_HOURS), to: Math.max(last, first + SHORTEST_HOURS) }
}

/** Puts what overlaps side by side. Touching is not overlapping. */
export function assignLanes(pieces: Placed[]): void {
  pieces.sort((a, b) => a.from - b.from || b.to - a.to)
  let group: Placed[] = []
  /** From when on each lane of the group is free again. */
  let free: number[] = []
  const settle = () => {
    for (const piece of group) piece.lanes = free.length
  }
  for (const piece of pieces) {
    if (free.every((from) => from <= piece.from)) {
      settle()
      group = []
      free = []
    }
    const lane = free.findIndex((from) => from <= piece.from)
    piece.lane = lane < 0 ? free.length : lane
    free[piece.lane] = piece.to
    group.push(piece)
  }
  settle()
}

/** The first line of a stretch that nothing lies over; `over` from the earliest on. */
function nameFrom({ coreFrom, coreTo }: PlacedBusy, over: { from: number; to: number }[]): number | null {
  let from = coreFrom
  for (const piece of over) if (piece.from < from + LINE_HOURS && piece.to > from) from = piece.to
  return coreTo - from < LINE_HOURS ? null : from
}

function layoutClashes(
  schedule: Schedule,
  bookings: PlacedBooking[],
  within: (from: string, to: string) => { from: number; to: number } | null,
): PlacedClash[] {
  return schedule.clashes.flatMap((clash) => {
    const piece = within(clash.start, clash.end)
    const booking = bookings.find((placed) => placed.booking.id === clash.booking)
    if (!piece || !booking) return []
    const narrow = piece.to - piece.from > (booking.to - booking.from) / 2
    return [{ clash, from: piece.from, to: piece.to, narrow }]
  })
}
