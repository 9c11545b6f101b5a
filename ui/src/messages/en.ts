// Every word the window says, in English. `fr.ts` says the same.

import type { Code, Placement, Role, Service, State } from '../bridge/types'

/** What is said of one error code, and the one thing to do next. */
export interface ProblemWords {
  said: string
  next: string
}

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

const problems: Record<Code, ProblemWords> = {
  OAUTH_TOKEN_EXPIRED: {
    said: 'The sign-in is no longer accepted. Perhaps the password changed, or access was taken back.',
    next: 'Connect the account again. Until then its last known busy time stays closed.',
  },
  CALENDAR_API_ERROR: {
    said: 'The calendar service refused or failed.',
    next: 'Press Sync Now. If it comes back, run companion doctor.',
  },
  RATE_LIMIT_EXCEEDED: {
    said: 'The calendar service asks for a pause.',
    next: 'Nothing to do: it goes on by itself.',
  },
  NETWORK_ERROR: {
    said: 'The service did not answer.',
    next: 'Check the internet connection. It is tried again by itself.',
  },
  INVALID_ICS_FORMAT: {
    said: 'A calendar file or link could not be read.',
    next: 'Ask whoever made it for a new file.',
  },
  CONFLICT_DETECTED: {
    said: 'A booking and its event no longer agree.',
    next: 'Look at the marked booking and change one of the two.',
  },
  INVALID_CREDENTIALS: {
    said: 'Bookiji did not accept the e-mail or the password.',
    next: 'Sign in again.',
  },
  NOT_SIGNED_IN: {
    said: 'Nobody is signed in to Bookiji.',
    next: 'Sign in to Bookiji.',
  },
  NOT_CONNECTED: {
    said: 'No calendar is connected.',
    next: 'Connect a calendar.',
  },
  PERMISSION_DENIED: {
    said: 'The account does not allow this. A permission was perhaps left unticked.',
    next: 'Connect the account again and leave every box ticked.',
  },
  SYNC_SWITCHED_OFF: {
    said: 'Calendar Sync is switched off on Bookiji.',
    next: 'Switch it on again on bookiji.com. Nothing is lost meanwhile.',
  },
  KEYCHAIN_UNAVAILABLE: {
    said: 'The keychain of this computer is locked or does not answer.',
    next: 'Unlock it, then press Sync Now.',
  },
  SETTINGS_INVALID: {
    said: 'The settings file has an entry that cannot be used.',
    next: 'Correct settings.toml and start the app again.',
  },
  DATABASE_TOO_NEW: {
    said: 'A newer version of the app has used this profile.',
    next: 'Install that version again.',
  },
  DATABASE_ERROR: {
    said: 'The app cannot read or write its own data. The disk is perhaps full.',
    next: 'Make room on the disk, then press Sync Now.',
  },
  ALREADY_RUNNING: {
    said: 'Another program is syncing this profile.',
    next: 'Stop the other one, or let it work.',
  },
  INVALID_INPUT: {
    said: 'Something that was entered cannot be used.',
    next: 'Correct it and try again.',
  },
  SIGN_IN_CANCELLED: {
    said: 'The sign-in was not finished in the browser.',
    next: 'Connect the account again.',
  },
  INTERNAL: {
    said: 'Something went wrong inside the app.',
    next: 'Press Sync Now. If it comes back, run companion doctor.',
  },
}

const some = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`

export const en = {
  app: 'Bookiji',
  places: { label: 'Bookiji Companion', week: 'Week', sync: 'Calendar Sync' },
  services,
  states,
  roles,
  placements,
  problems,

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
