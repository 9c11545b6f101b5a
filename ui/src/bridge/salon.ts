// A salon's week in Paris, for browsers and pictures. Invented.

import { startOfDay, type CivilDate, addDays } from '../time'
import type { BookingView, BusyView, CalendarView, ConnectionView, Overview, RunView, Service } from './types'

export const NOW = '2026-11-17T10:40:00Z'
const ZONE = 'Europe/Paris'
const MONDAY: CivilDate = { year: 2026, month: 11, day: 16 }

/** From nine until then, from Monday on. */
export const WORKING = [18, 18, 19, 18, 18, 16, null]

const at = (day: number, hours: number) =>
  new Date(startOfDay(addDays(MONDAY, day), ZONE) + hours * 3_600_000).toISOString()

let serial = 0
const booking = (day: number, from: number, to: number, service: string, customer: string): BookingView => ({
  id: `b${(serial += 1)}`,
  start: at(day, from),
  end: at(day, to),
  service,
  customer,
  pending: customer.startsWith('Olivier'),
  placement: 'synced',
})

const busy = (calendar: string, day: number, from: number, to: number, title: string, buffer = 0): BusyView => ({
  calendar,
  title,
  all_day: to - from >= 24,
  start: at(day, from),
  end: at(day, to),
  blocks_from: at(day, from),
  blocks_to: at(day, to + buffer),
  block: null,
})

const CALENDARS: Record<string, string> = {
  bookiji: 'Bookiji',
  personal: 'Amélie',
  work: 'Work',
  family: 'Family',
  school: 'School',
}

const calendar = (id: string, more: Partial<CalendarView>): CalendarView => ({
  id,
  name: CALENDARS[id] ?? id,
  role: 'busy',
  state: 'up_to_date',
  problem: null,
  outcome: 'success',
  last_sync_at: '2026-11-17T10:38:00Z',
  next_sync_at: '2026-11-17T10:43:00Z',
  frequency_minutes: 5,
  published: 0,
  bookings: 0,
  ...more,
})

const connection = (service: Service, account: string, calendars: CalendarView[]): ConnectionView => ({
  id: service,
  service,
  account,
  files: false,
  state: 'up_to_date',
  problem: null,
  instead: null,
  last_sync_at: '2026-11-17T10:38:00Z',
  next_sync_at: '2026-11-17T10:43:00Z',
  calendars,
})

const run = (started: string, counts: Partial<RunView> = {}): RunView => ({
  id: started,
  direction: 'bidirectional',
  started_at: `2026-11-17T${started}:00Z`,
  ended_at: `2026-11-17T${started}:02Z`,
  outcome: 'success',
  created: 0,
  updated: 0,
  removed: 0,
  slots_opened: 0,
  slots_closed: 0,
  unchanged: 42,
  held: 0,
  published: 0,
  decisions: 0,
  problems: [],
  undoes: null,
  can_undo: (counts.created ?? 0) + (counts.updated ?? 0) + (counts.removed ?? 0) > 0,
  ...counts,
})

export function salon(): Overview {
  serial = 0
  return {
    now: NOW,
    state: 'up_to_date',
    problem: null,
    folder_problem: null,
    sample: false,
    language: null,
    syncing: false,
    progress: null,
    paused: false,
    paused_until: null,
    standing_by: null,
    seats: [],
    vendor: { name: 'Studio Lumière', email: 'amelie@studiolumiere.example', time_zone: ZONE },
    last_sync_at: '2026-11-17T10:38:00Z',
    next_sync_at: '2026-11-17T10:43:00Z',
    connections: [
      connection('google', 'studio.lumiere@example.com', [
        calendar('bookiji', { role: 'target', bookings: 42 }),
        calendar('personal', { published: 17 }),
        { ...calendar('personal', { role: 'off' }), id: 'holidays', name: 'Holidays' },
      ]),
      connection('outlook', 'amelie@studiolumiere.example', [calendar('work', { published: 9 })]),
      connection('caldav', 'lumiere.amelie@example.com', [calendar('family', { published: 6 })]),
      connection('ics', 'ecole-st-louis.example', [calendar('school', { published: 4 })]),
      { ...connection('ics', 'Imported files', [calendar('course', { name: 'Imported files', published: 3 })]), id: 'files', files: true },
    ],
    runs: [
      run('10:38'),
      run('10:33', { created: 2, published: 1 }),
      run('10:28'),
      run('10:23', { updated: 1 }),
      run('10:18', { removed: 1, published: 2 }),
      run('10:13'),
      run('10:08', { created: 5, published: 4 }),
    ],
    decisions: 0,
    cards: [],
    files: [],
    preview: null,
    schedule: {
      from: at(-14, 0),
      to: at(63, 0),
      bookings: [
        booking(0, 10, 11, 'Haircut', 'Simone Petit'),
        booking(0, 13.5, 15, 'Colour', 'Agathe Morel'),
        booking(1, 9, 10, 'Haircut', 'Camille Roy'),
        booking(1, 10.25, 12.25, 'Balayage', 'Inès Haddad'),
        booking(1, 14, 15, 'Blow-dry', 'Jade Tremblay'),
        booking(2, 11, 12, 'Haircut', 'Marc Gagnon'),
        booking(2, 13, 15.5, 'Colour and cut', 'Sofia Marchetti'),
        booking(3, 9.5, 10.5, 'Haircut', 'Léa Bouchard'),
        booking(3, 11, 13, 'Balayage', 'Noor Rahmani'),
        booking(3, 16, 17, 'Gloss', 'Emma Lavoie'),
        booking(3, 17, 18, 'Haircut', 'Théo Girard'),
        booking(4, 9.5, 11, 'Colour', 'Maya Cohen'),
        booking(4, 11, 12, 'Haircut', 'Olivier Côté'),
        booking(4, 14.5, 16.5, 'Colour and cut', 'Nadia Benali'),
        booking(5, 9, 12, 'Bridal trial', 'Gabrielle Fortin'),
        booking(5, 12.5, 13.5, 'Haircut', 'Hugo Nguyen'),
        booking(8, 10, 12, 'Balayage', 'Alice Bernard'),
        booking(10, 14, 15, 'Haircut', 'Marc Gagnon'),
      ],
      busy: [
        busy('personal', 0, 11.5, 12.5, 'Yoga'),
        busy('family', 1, 12.25, 13.25, 'Lunch with Mamie'),
        busy('work', 1, 16, 17, 'Supplier call', 0.25),
        busy('work', 2, 9, 10.5, 'Accountant', 0.25),
        busy('school', 2, 16.5, 18, 'School pick-up'),
        busy('work', 3, 13.5, 14.75, 'Dentist', 0.25),
        busy('personal', 4, 12.5, 13.5, 'Stock count'),
        busy('personal', 4, 16, 17.75, 'Parents’ meeting'),
        busy('family', 5, 14, 16, 'Hockey, Félix'),
        busy('family', 6, 0, 24, 'Mamie’s birthday'),
        busy('family', 11, 0, 24, 'Closed for the day'),
      ],
      clashes: [{ booking: 'b14', start: at(4, 16), end: at(4, 16.5) }],
      unblocked: [],
      working: [-7, 0, 7].flatMap((week) => WORKING.flatMap((until, day) => (until ? [{ start: at(week + day, 9), end: at(week + day, until) }] : []))),
    },
  }
}
