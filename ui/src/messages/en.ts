// Every word the window says, in English, but for what error codes mean. `fr.ts` says the same.

import type { Placement, Role, Service, State } from '../bridge/types'

const services: Record<Service, string> = {
  google: 'Google',
  outlook: 'Outlook',
  caldav: 'iCloud or CalDAV',
  ics: 'Calendar link',
}

const states: Record<State, string> = {
  up_to_date: 'Up to date',
  syncing: 'Syncing…',
  paused: 'Paused',
  offline: 'Can’t be reached',
  needs_you: 'Needs you',
  error: 'Error',
}

const roles: Record<Role, string> = {
  target: 'Bookings go here',
  busy: 'Blocks time',
  off: 'Left alone',
}

const placements: Record<Placement, string> = {
  synced: 'In your calendar',
  pending: 'On its way to your calendar',
  error: 'Not in your calendar yet: the last try failed',
  nowhere: 'Not in a calendar: none is chosen for bookings',
}

const some = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`

export const en = {
  app: 'Bookiji',
  places: { label: 'Bookiji Companion', week: 'Week', sync: 'Calendar Sync' },
  services,
  files: 'Imported files',
  states,
  roles,
  placements,

  named: (name: string, said: string) => `${name}: ${said}`,
  syncNow: 'Sync Now',
  syncing: 'Syncing…',
  tryNow: 'Try now',
  close: 'Close',
  openSync: 'Open Calendar Sync',

  foot: {
    notStarted: 'Not started',
    nobody: 'Nobody signed in',
    noCalendars: 'No external calendars',
    lastSynced: (time: string) => `Last synced: ${time}`,
    never: 'Not synced yet',
    until: (time: string) => `Until ${time}`,
    decisions: (count: number) => some(count, 'decision', 'decisions'),
    standingBy: (computer: string) => `Standing by: ${computer} writes`,
  },

  ago: {
    now: 'just now',
    minutes: (count: number) => `${count} min ago`,
    hours: (count: number) => `${count} h ago`,
  },

  sample: {
    name: 'Sample data',
    what: 'Invented, and only on this computer.',
    leave: 'Leave and erase',
  },

  welcome: {
    title: 'Your bookings and your calendar, true to each other',
    what: 'What fills your calendar closes the time on Bookiji. Every booking appears in your calendar.',
    explore: 'Explore with sample data',
    samples: 'The samples run inside this app. No account, nothing sent.',
    or: 'or use your own',
    steps: 'Sign in once from a terminal, and this window fills by itself:',
    privacy: 'Event titles never leave this computer',
  },

  preview: {
    title: (count: number) =>
      count === 0
        ? 'This is your week as it will be'
        : count === 1
          ? 'One time you are busy will close on Bookiji'
          : `${count} times you are busy will close on Bookiji`,
    what: 'Start closes those times and puts your bookings in your calendar. Nothing has been changed yet.',
    busy: (count: number, calendars: number) =>
      calendars === 0
        ? 'busy times in your calendars'
        : `${count === 1 ? 'busy time' : 'busy times'} from ${some(calendars, 'calendar', 'calendars')}`,
    created: (count: number, into: string | null) =>
      `${count === 1 ? 'event' : 'events'} added, ${count === 1 ? '' : 'all '}in ${into === null ? 'a new calendar' : `“${into}”`}`,
    decisions: (count: number): string => (count === 1 ? 'question for you' : 'questions for you'),
    overlaps: (count: number): string => (count === 1 ? 'booking overlaps your calendar' : 'bookings overlap your calendar'),
    own: 'of your own events changed',
    notAll: 'So this is not all of it.',
    lookAgain: 'Look again',
    looking: 'Looking at your calendars…',
    undo: 'You can undo it later.',
    start: 'Start',
  },

  week: {
    previous: 'Previous week',
    next: 'Next week',
    today: 'Today',
    label: (range: string) => `Week of ${range}`,
    now: (time: string) => `Now, ${time}`,
    booking: 'Booking',
    appointment: 'Appointment',
    bookings: 'Bookings',
    overlap: 'Overlap',
    allDay: 'All day',
    allDayShort: 'all day',
    untitled: 'Busy',
    toConfirm: 'to confirm',
    nothing: 'Nothing this week',
    edgeBefore: 'Earlier weeks are not kept here.',
    edgeAfter: 'Later weeks are not read yet.',
    busyLabel: (title: string, source: string, when: string) => `Not bookable, ${when}: ${title}, ${source}`,
    overlapLabel: 'overlaps something in your calendar',
    asOf: (time: string) => `This is your week as of ${time}.`,
    emptyTitle: 'No external calendars connected',
    emptyWhat: 'Connect the calendar you already use. Your busy time closes slots here, and bookings appear there.',
    emptyHow: 'In a terminal:',
  },

  detail: {
    customer: 'Customer',
    service: 'Service',
    calendar: 'Calendar',
    confirm: 'Not confirmed yet on Bookiji',
    source: 'Source',
    titleStays: 'The title stays on this computer.',
    rule: 'Rule',
    ruleBusy: 'Busy events close slots',
    buffer: (minutes: number) => `with ${minutes} min around it`,
    checked: 'Last checked',
    knows: 'Bookiji knows',
    knowsBusy: (when: string) => `Busy ${when}`,
    knowsLess: 'No title, no place, no guests',
    whyTitle: (time: string) => `Why is ${time} not bookable?`,
    whyDay: 'Why is this day not bookable?',
    why: (source: string) => `You are busy in ${source}.`,
    overlap: (when: string) => `Something in your calendar lies over ${when}.`,
    overlapNext: 'Move one of the two, then press Sync Now.',
  },

  sync: {
    upToDate: 'Everything is up to date',
    syncing: 'Syncing now',
    paused: 'Sync is paused',
    notStarted: 'Nothing is synced yet',
    offline: 'Some of it can’t be reached',
    needsYou: (count: number) => (count === 1 ? 'One calendar needs you' : `${count} calendars need you`),
    needsYouElse: 'Bookiji needs you',
    error: 'Something went wrong',
    rhythm: (last: string, next: string, minutes: number) =>
      `Last synced: ${last}. Next at ${next}, then every ${some(minutes, 'minute', 'minutes')}.`,
    never: 'Not synced yet.',
    lastOnly: (last: string) => `Last synced: ${last}.`,
    next: (time: string) => `next ${time}`,
    tried: (time: string) => `stopped at ${time}`,
    waiting: 'not read yet',
    every: (minutes: number) => `every ${minutes} min`,
    busyCount: (count: number) => some(count, 'busy time on Bookiji', 'busy times on Bookiji'),
    bookingCount: (count: number) => some(count, 'booking in it', 'bookings in it'),
    leftAlone: (count: number) => `${some(count, 'other calendar', 'other calendars')} left alone`,
    details: 'What the service said',
    connections: 'Connections',
    history: 'History',
    historyEmpty: 'The first sync will be listed here.',
    running: 'Running',
    nothing: 'Nothing to change',
    failed: 'Did not finish',
    created: (count: number) => some(count, 'event added', 'events added'),
    updated: (count: number) => some(count, 'event changed', 'events changed'),
    removed: (count: number) => some(count, 'event removed', 'events removed'),
    published: (count: number) => some(count, 'busy calendar sent', 'busy calendars sent'),
    held: (count: number) => some(count, 'removal held back', 'removals held back'),
    decisions: (count: number) => some(count, 'decision for you', 'decisions for you'),
  },

  trouble: {
    loading: 'Reading your week…',
    lost: 'The window lost touch with the app',
    lostNext: 'Close the window and open it again from the tray.',
  },
}

export type Messages = typeof en
