// The window's host when there is no app: the salon, in whatever state `?state=` asks for. Only `npm run dev`, pictures
// and the measuring of a week meet it.

import type { Bridge } from './bridge'
import { NOW, salon } from './salon'
import { everyCard, usualCards } from './cards'
import { choosing } from './choosing'
import { diagnosis } from './diagnosis'
import { earlier, offering, type Offering } from './offering'
import { sending } from './sending'
import { explained, storyOf } from './telling'
import { oneMoved, packed } from './packed'
import { instantAt } from '../time'
import type { SignInForm, SignInView } from './types'
import type { CardView, Code, Overview, PreferencesView, PreviewView, SeatView, State, Unusable, UpdateView } from './types'

/** What `?state=` may say. */
export const STATES = [
  'full', 'empty', 'signed-out', 'syncing', 'long', 'long-leaving', 'needs-you', 'offline', 'error', 'paused', 'new-week', 'many', 'packed', 'sample',
  'preview', 'preview-half', 'decisions', 'decisions-all', 'decisions-told', 'quiet', 'ailing', 'waiting', 'waiting-there', 'no-nextcloud', 'partly',
  'too-little', 'administrator', 'timed-out', 'unblocked', 'files', 'files-empty', 'files-over', 'files-offer',
  'files-many', 'files-salon', 'files-refused', 'files-odd', 'files-unseen', 'no-calendar', 'no-tray', 'newer', 'salon',
  'salon-new', 'signed-off', 'unplugged', 'sample-bare', 'files-signed-out', 'files-preview',
] as const
type FakeState = (typeof STATES)[number]

const OFFERINGS: Partial<Record<FakeState, Offering>> = {
  'files-signed-out': 'one', 'files-preview': 'one', 'files-over': 'over', 'files-offer': 'one', 'files-many': 'many', 'files-salon': 'one', 'files-refused': 'refused', 'files-odd': 'odd', 'files-unseen': 'unseen',
}

export function bridge(query: URLSearchParams): Bridge {
  const asked = STATES.find((state) => state === query.get('state')) ?? 'full'
  let shown = overview(asked)
  let tell = () => {}
  const become = (next: Overview) => {
    shown = next
    tell()
  }
  // Whoever measures says when one event of hers has moved.
  if (asked === 'packed') addEventListener('moved', () => become(oneMoved(shown)))
  const calendars = choosing(shown.connections)
  let signIn = signingIn(asked)
  const followed = (next: SignInView) => {
    signIn = next
    tell()
    return Promise.resolve(null)
  }
  const sent = sending(asked === 'empty')
  const quiet = asked === 'quiet' ? { quiet_from: '20:30', quiet_until: '08:00' } : { quiet_from: null, quiet_until: null }
  let set: PreferencesView = { language: null, theme: 'system', notifications: true, ...quiet, updates: true }
  let atLogin = asked === 'quiet'
  let news = asked === 'no-tray'
  let blocks = 0
  let found: UpdateView = asked === 'newer' ? { newer: '0.2.0', notes: NOTES } : { newer: null, notes: null }
  return {
    files: offering(OFFERINGS[asked] ?? 'none', asked !== 'files-empty'),
    overview: () => Promise.resolve(structuredClone(shown)),
    onChange: (listener) => (tell = listener),
    wantedPlace: () => Promise.resolve(null),
    onPlaceWanted: () => {},
    syncNow: () => {
      const before = shown
      become({ ...before, state: 'syncing', syncing: true })
      setTimeout(() => become({ ...before, syncing: false, last_sync_at: NOW }), 1500)
      return Promise.resolve(null)
    },
    stopSync: () => {
      const runs = shown.runs.map((run) => (run.ended_at ? run : { ...run, ended_at: NOW, outcome: 'partial' as const }))
      become({ ...shown, state: 'up_to_date', syncing: false, progress: null, runs })
      return Promise.resolve(null)
    },
    startSyncing: () => {
      become(overview('full'))
      return Promise.resolve(null)
    },
    decide: (id) => {
      const gone = shown.cards.find((card) => card.id === id)
      const cards = shown.cards.filter((card) => card.id !== id && !gone?.stands_for.includes(card.id))
      become(waiting(shown, cards))
      return Promise.resolve(null)
    },
    undoRun: (run) => {
      become({ ...shown, runs: shown.runs.map((one) => (one.id === run ? { ...one, can_undo: false } : one)) })
      return Promise.resolve({ undone: 4, kept: 1, reasons: ['touched'] })
    },
    runStory: (run) => Promise.resolve(storyOf(shown, run)),
    explain: (moment) => Promise.resolve(explained(shown, moment)),
    unblock: (from, until) => {
      const unblocked = [...shown.schedule.unblocked, { start: from, end: until }]
      become({ ...shown, schedule: { ...shown.schedule, unblocked } })
      return Promise.resolve(null)
    },
    blockAgain: (from, until) => {
      const unblocked = shown.schedule.unblocked.filter((span) => span.end <= from || until <= span.start)
      become({ ...shown, schedule: { ...shown.schedule, unblocked } })
      return Promise.resolve(null)
    },
    blockTime: ({ from, until }) => {
      const [start, end] = [from, until].map((wall) => Date.parse(`${wall}:00Z`)) as [number, number]
      if (!(start < end)) return Promise.resolve({ outcome: 'refused', why: end <= start ? 'backwards' : 'no_time' })
      const [first, last] = [start, end].map((at) => instantAt(at, 'Europe/Paris')) as [number, number]
      if (last <= Date.parse(NOW)) return Promise.resolve({ outcome: 'refused', why: 'past' })
      const iso = (at: number) => new Date(at).toISOString()
      const block = `blocked-${(blocks += 1)}`
      const made = { calendar: 'course', title: 'Blocked by you', all_day: false, start: iso(first), end: iso(last), blocks_from: iso(first), blocks_to: iso(last), block }
      become({ ...shown, schedule: { ...shown.schedule, busy: [...shown.schedule.busy, made] } })
      return Promise.resolve({ outcome: 'blocked', block, told: true })
    },
    takeBackBlock: (block) => {
      become({ ...shown, schedule: { ...shown.schedule, busy: shown.schedule.busy.filter((busy) => busy.block !== block) } })
      return Promise.resolve(null)
    },
    pause: (form) => {
      const until = form === 'one_hour' ? '2026-11-17T11:40:00Z' : form === 'until_tomorrow' ? '2026-11-17T23:00:00Z' : null
      become({ ...shown, state: 'paused', paused: true, paused_until: until })
      return Promise.resolve(null)
    },
    resume: () => {
      become({ ...shown, state: 'up_to_date', paused: false, paused_until: null })
      return Promise.resolve(null)
    },
    addVendor: () => {
      become(overview('salon-new'))
      return Promise.resolve(null)
    },
    showVendor: (seat) => {
      const seats = taken(shown.seats).map((one) => ({ ...one, shown: one.id === seat }))
      become({ ...seated(seats.find((one) => one.shown)!.name!), seats })
      return Promise.resolve(null)
    },
    exploreSample: () => {
      become(overview('sample'))
      return Promise.resolve(null)
    },
    leaveSample: () => {
      become(overview('signed-out'))
      return Promise.resolve(null)
    },
    choices: () => Promise.resolve(calendars.choices()),
    choose: (form) => {
      calendars.choose(form)
      tell()
      return Promise.resolve(null)
    },
    signIn: () => Promise.resolve(signIn),
    beginSignIn: (form: SignInForm) => {
      if (shown.sample) return refuse('INVALID_INPUT', 'This is sample data.', 'sample')
      const to = form.to
      if (form.to === 'nextcloud' && !form.server.includes('.')) {
        return followed({ state: 'refused', to, code: 'INVALID_INPUT', missing: [], administrator: null })
      }
      setTimeout(() => {
        if (signIn.state !== 'waiting') return
        if (to === 'bookiji') become(overview(asked === 'signed-off' ? 'full' : 'empty'))
        void followed(to === 'bookiji' ? { state: 'idle' } : { state: 'done', to, missing: [] })
      }, 4000)
      return followed({ state: 'waiting', to, address: form.to === 'nextcloud' ? FLOW : PAGE })
    },
    openSignIn: () => Promise.resolve(null),
    pasteSignIn: (address) =>
      address.includes('state=')
        ? followed({ state: 'done', to: 'google', missing: [] })
        : refuse('INVALID_INPUT', 'That is not it.'),
    cancelSignIn: () => followed({ state: 'idle' }),
    logIn: ({ password }) => {
      if (password === 'wrong') return refuse('INVALID_CREDENTIALS', 'Bookiji does not accept it.')
      become(overview(asked === 'signed-off' ? 'full' : 'empty'))
      return Promise.resolve(null)
    },
    connectCaldav: ({ password }) =>
      password === 'wrong' ? refuse('INVALID_CREDENTIALS', 'The server does not accept it.') : Promise.resolve(null),
    connectLink: ({ link }) => {
      if (link.startsWith('http:')) return refuse('INVALID_INPUT', 'It would be asked over plain http.', 'plain_http')
      return link.includes('nothing') ? refuse('INVALID_ICS_FORMAT', 'It is no calendar.') : Promise.resolve(null)
    },
    disconnect: ({ connection }) => {
      become({ ...shown, connections: shown.connections.filter((one) => one.id !== connection) })
      return Promise.resolve(null)
    },
    privacy: () => Promise.resolve(sent.privacy()),
    sentWords: (number) => Promise.resolve(sent.words(number)),
    preferences: () => Promise.resolve(set),
    setPreferences: (form) => {
      set = form
      become({ ...shown, language: form.language })
      return Promise.resolve(null)
    },
    startsAtLogin: () => Promise.resolve(atLogin),
    setStartAtLogin: (on) => {
      atLogin = on
      return Promise.resolve(null)
    },
    about: () => Promise.resolve({ version: '0.1.0', update: found, looks: true }),
    diagnose: () => Promise.resolve(diagnosis(asked === 'ailing')),
    forget: (form) => {
      if (asked === 'ailing' && !form.offline) {
        return refuse('NETWORK_ERROR', 'Bookiji cannot be reached.')
      }
      become(overview('signed-out'))
      return Promise.resolve(null)
    },
    checkForUpdates: () => {
      found = { newer: asked === 'quiet' ? '0.2.0' : null, notes: null }
      return Promise.resolve(found)
    },
    installUpdate: () => Promise.resolve(null),
    tray: () => Promise.resolve({ shown: asked !== 'no-tray', is_news: news }),
    trayNoticed: () => {
      news = false
      return Promise.resolve()
    },
    quit: () => Promise.resolve(null),
    now: () => Date.parse(NOW),
  }
}

const refuse = (code: Code, message: string, why: Unusable | null = null) => Promise.resolve({ code, message, why })

const NOTES = 'Block time in the week.\nThe week opens faster.'

const PAGE = 'https://accounts.google.example/o/oauth2/v2/auth?client_id=1234&redirect_uri=http%3A%2F%2F127.0.0.1%3A43117&state=9f2c'

const FLOW = 'https://cloud.example.org/login/v2/flow/guyjGtcKPTKCi4epIRIupIexgJ8wNInM'

function signingIn(state: FakeState): SignInView {
  switch (state) {
    case 'waiting':
      return { state: 'waiting', to: 'google', address: PAGE }
    case 'partly':
      return { state: 'done', to: 'google', missing: ['list_calendars', 'write_bookings'] }
    case 'too-little':
      return { state: 'refused', to: 'google', code: 'PERMISSION_DENIED', missing: ['read_events', 'write_bookings'], administrator: null }
    case 'administrator':
      return {
        state: 'refused', to: 'outlook', code: 'PERMISSION_DENIED', missing: [],
        administrator: 'https://login.microsoft.example/common/v2.0/adminconsent?client_id=1234',
      }
    case 'no-nextcloud':
      return { state: 'refused', to: 'nextcloud', code: 'INVALID_INPUT', missing: [], administrator: null }
    case 'waiting-there':
      return { state: 'waiting', to: 'nextcloud', address: FLOW }
    case 'timed-out':
      return { state: 'timed_out', to: 'outlook' }
    default:
      return { state: 'idle' }
  }
}

function overview(state: FakeState): Overview {
  const shown = salon()
  const nothing = { ...shown.schedule, bookings: [], busy: [], clashes: [], unblocked: [] }
  switch (state) {
    case 'full':
    case 'quiet':
    case 'no-tray':
    case 'newer':
      return shown
    case 'ailing':
      return overview('offline')
    case 'salon':
    case 'files-salon':
      return { ...shown, seats: colleagues() }
    case 'salon-new': {
      const before = colleagues().map((seat) => ({ ...seat, shown: false }))
      const free: SeatView = { id: 3, name: null, state: 'paused', problem: null, decisions: 0, shown: true }
      return { ...overview('signed-out'), seats: [...before, free] }
    }
    case 'waiting':
    case 'partly':
    case 'too-little':
    case 'administrator':
    case 'no-nextcloud':
    case 'waiting-there':
    case 'timed-out':
      return overview('empty')
    case 'sample-bare':
      return { ...overview('empty'), sample: true }
    case 'files-signed-out':
      return overview('signed-out')
    case 'files-preview':
      return overview('preview')
    case 'signed-off': {
      const problem = { code: 'OAUTH_TOKEN_EXPIRED' as const, message: 'Bookiji no longer accepts this sign-in.' }
      return { ...shown, state: 'needs_you', problem }
    }
    case 'unplugged':
      return { ...shown, state: 'needs_you', folder_problem: { code: 'INVALID_INPUT', message: 'The watched folder Exports cannot be read.' } }
    case 'sample':
      return { ...shown, sample: true }
    case 'signed-out':
      return {
        ...shown, state: 'paused', vendor: null, connections: [], runs: [], schedule: nothing,
        last_sync_at: null, next_sync_at: null,
      }
    case 'empty':
      return {
        ...shown, state: 'paused', connections: [], runs: [], last_sync_at: null, next_sync_at: null,
        schedule: { ...nothing },
      }
    case 'new-week':
      return { ...shown, schedule: nothing }
    case 'syncing':
      return { ...shown, state: 'syncing', syncing: true, runs: [{ ...shown.runs[0]!, id: 'r', started_at: NOW, ended_at: null, outcome: null }, ...shown.runs] }
    case 'long':
      return { ...overview('syncing'), progress: { doing: 'sync', read: 3, to_read: 3, written: 41, to_write: 120 } }
    case 'long-leaving':
      return { ...overview('syncing'), progress: { doing: 'leave', read: 0, to_read: 2, written: 41, to_write: 120 } }
    case 'paused':
      return { ...shown, state: 'paused', paused: true, paused_until: '2026-11-17T11:40:00Z' }
    case 'needs-you':
      shown.connections[2]!.account += ' (caldav.icloud.com)'
      return troubled(shown, 2, 'needs_you', 'OAUTH_TOKEN_EXPIRED', 'caldav no longer accepts this sign-in (HTTP 401)')
    case 'offline':
      return troubled(shown, 3, 'offline', 'NETWORK_ERROR', 'ecole-st-louis.example cannot be reached: connection refused')
    case 'error':
      return troubled(shown, 0, 'error', 'CALENDAR_API_ERROR', 'google refuses it: HTTP 400 “The requested time range is empty”')
    case 'no-calendar': {
      const page = 'ecole-st-louis.example sends no calendar: this is a web page, not a calendar'
      const wrong = troubled(shown, 3, 'error', 'INVALID_ICS_FORMAT', page)
      wrong.connections[3]!.instead = 'html'
      return wrong
    }
    case 'preview':
      return { ...shown, state: 'needs_you', runs: [], last_sync_at: null, preview: planned() }
    case 'preview-half': {
      const half = troubled(shown, 3, 'offline', 'NETWORK_ERROR', 'ecole-st-louis.example cannot be reached')
      return { ...half, runs: [], last_sync_at: null, preview: { ...planned(), problem: half.problem } }
    }
    case 'decisions':
      return waiting(shown, usualCards())
    case 'decisions-all':
      return waiting(shown, everyCard())
    case 'decisions-told':
      return waiting(shown, everyCard().filter((card) => !card.presses))
    case 'unblocked': {
      const thursday = { start: '2026-11-19T13:00:00Z', end: '2026-11-19T13:30:00Z' }
      return { ...shown, schedule: { ...shown.schedule, unblocked: [thursday] } }
    }
    case 'files':
    case 'files-over':
    case 'files-offer':
    case 'files-many':
    case 'files-refused':
    case 'files-odd':
    case 'files-unseen':
      return { ...shown, files: earlier() }
    case 'files-empty':
      return shown
    case 'many':
      return crowded(shown)
    case 'packed':
      return packed(shown)
  }
}

function colleagues(): SeatView[] {
  return [
    { id: 0, name: 'Studio Lumière', state: 'up_to_date', problem: null, decisions: 0, shown: true },
    { id: 1, name: 'Zoé Marchand', state: 'needs_you', problem: 'OAUTH_TOKEN_EXPIRED', decisions: 0, shown: false },
    { id: 2, name: 'Anna Keller', state: 'needs_you', problem: null, decisions: 2, shown: false },
  ]
}

const taken = (seats: SeatView[]) => seats.filter((seat) => seat.name !== null)

function seated(name: string): Overview {
  const shown = salon()
  return { ...shown, vendor: { ...shown.vendor!, name } }
}

function waiting(shown: Overview, cards: CardView[]): Overview {
  const grouped = cards.flatMap((card) => card.stands_for)
  const decisions = cards.filter((card) => card.presses && !grouped.includes(card.id)).length
  return { ...shown, state: decisions > 0 ? 'needs_you' : 'up_to_date', cards, decisions }
}

function troubled(shown: Overview, which: number, state: State, code: Code, message: string): Overview {
  const problem = { code, message }
  const broken = shown.connections[which]!
  const calendars = broken.calendars.map((calendar) => ({
    ...calendar, state, problem, outcome: 'error' as const, last_sync_at: '2026-11-17T09:58:00Z',
  }))
  const connections = [...shown.connections]
  connections[which] = { ...broken, state, problem, calendars, last_sync_at: '2026-11-17T09:58:00Z' }
  const failed = { ...shown.runs[0]!, outcome: 'partial' as const, problems: [problem] }
  return { ...shown, state, problem, connections, runs: [failed, ...shown.runs.slice(1)] }
}

function planned(): PreviewView {
  return {
    at: NOW, busy_times: 22, calendars: 4, created: 13, updated: 0, removed: 0, decisions: 0, into: null, problem: null,
  }
}

/** A week that nobody would like to have. */
function crowded(shown: Overview): Overview {
  const { schedule } = shown
  const long = 'Straightening, deep conditioning and a very thorough consultation'
  return {
    ...shown,
    vendor: { ...shown.vendor!, name: 'Maison Wilhelmina Featherstonehaugh-Cholmondeley & Filles' },
    schedule: {
      ...schedule,
      bookings: schedule.bookings.flatMap((booking, index) => [
        booking,
        { ...booking, id: `${booking.id}x`, service: long, customer: 'Maximilian von Habsburg-Lothringen', start: booking.end, end: new Date(Date.parse(booking.end) + 1_800_000).toISOString(), placement: index % 3 ? booking.placement : ('error' as const) },
      ]),
      busy: schedule.busy.flatMap((busy) => [busy, { ...busy, title: `${busy.title}, again`, calendar: 'personal' }]),
    },
  }
}
