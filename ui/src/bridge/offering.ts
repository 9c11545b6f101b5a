// Files that were dropped on the salon, what they would do, and the folders that it watches. Invented.

import type { FilesBridge } from './bridge'
import type { ConflictView, FileImportView, FileView, FoldersView, ImportForm, ImportView, OfferView } from './types'

/** What of the page of files `?state=` shows. */
export type Offering = 'none' | 'one' | 'many' | 'refused' | 'odd' | 'unseen' | 'over'

const file = (name: string, more: Partial<FileImportView> = {}): FileImportView => ({
  name, outcome: 'imported', new: 0, updated: 0, unchanged: 0, cancelled: 0, skipped: 0, skips: [], busy: 0, closes: 0,
  opens: 0, conflicts: [], more_conflicts: 0, lines: [], more_lines: 0, waiting: 0, refusal: null, unsent: null, ...more,
})

const meets = (uid: string, day: number, from: string, to: string, more: Partial<ConflictView>): ConflictView => ({
  uid, kind: 'slot', summary: uid, start: `2026-11-${day}T${from}:00Z`, end: `2026-11-${day}T${to}:00Z`,
  with: { summary: null, start: `2026-11-${day}T${from}:00Z`, end: `2026-11-${day}T${to}:00Z` },
  resolution: 'waiting', can_choose: true, ...more,
})

const school = (): FileImportView =>
  file('school-terms-2026.ics', {
    new: 14, updated: 2, unchanged: 31, skipped: 3, skips: [{ why: 'over', count: 2 }, { why: 'reminder', count: 1 }],
    busy: 9, closes: 6, opens: 1,
    conflicts: [
      meets('Open for walk-ins', 25, '13:00', '17:00', { with: { summary: null, start: '2026-11-25T13:00:00Z', end: '2026-11-25T15:00:00Z' } }),
      meets('Open for walk-ins', 26, '13:00', '17:00', {}),
      meets('Saturday morning', 28, '08:00', '11:00', { kind: 'closed' }),
      meets('Winter concert', 27, '12:00', '15:00', { kind: 'booking', with: { summary: 'Balayage, Noor Rahmani', start: '2026-11-27T13:00:00Z', end: '2026-11-27T15:00:00Z' }, resolution: 'kept', can_choose: false }),
    ],
  })

const broken = (): FileImportView =>
  file('export (3).ics', {
    outcome: 'rejected', closes: null,
    refusal: { why: 'no_events', line: 212 },
    lines: [
      { line: 212, odd: { kind: 'no_start' } },
      { line: 240, odd: { kind: 'unreadable', part: 'start', text: '31/02/2026 9h' } },
    ],
  })

const page = (): FileImportView =>
  file('calendar.ics', { outcome: 'rejected', closes: null, refusal: { why: 'not_a_calendar', what: 'html' } })

/** Taken in, though not all of it could be read as it stands. */
const odd = (): FileImportView =>
  file('agenda-salon.ics', {
    new: 23, busy: 19, closes: 4,
    lines: [
      { line: 1, odd: { kind: 'unknown_zone', zone: 'Heure du salon' } },
      { line: 12, odd: { kind: 'no_start' } },
      { line: 15, odd: { kind: 'unreadable', part: 'start', text: 'mardi 9h' } },
      { line: 58, odd: { kind: 'unreadable', part: 'end', text: '' } },
      { line: 97, odd: { kind: 'unreadable', part: 'except_dates', text: '20261225T090000,demain' } },
      { line: 131, odd: { kind: 'no_end' } },
      { line: 160, odd: { kind: 'long_line', property: 'DESCRIPTION' } },
      { line: 204, odd: { kind: 'many_events', most: 131_000 } },
    ],
    more_lines: 3,
  })

function views(offering: Offering): FileImportView[] {
  switch (offering) {
    case 'none':
    case 'over':
      return []
    case 'one':
      return [school()]
    case 'unseen': {
      const unsent = { code: 'NETWORK_ERROR' as const, message: 'Bookiji cannot be reached.' }
      return [{ ...school(), closes: null, opens: 0, conflicts: [], unsent }]
    }
    case 'refused':
      return [broken(), page()]
    case 'odd':
      return [odd()]
    case 'many':
      return [
        school(), broken(), file('tournoi-hockey-de-la-saison-2026-2027-version-definitive-corrigee.ics', { new: 6, busy: 6, closes: 4 }),
        file('reply.ics', { outcome: 'no_times', skipped: 1, skips: [{ why: 'no_time', count: 1 }] }),
        ...Array.from({ length: 96 }, (_, n) => file(`member-${n + 1}.ics`, { outcome: 'unchanged', unchanged: 4 })),
      ]
  }
}

const CHOSEN = { replace: 'replaced', merge: 'merged', skip: 'skipped' } as const

function answered(files: FileImportView[], form: ImportForm): FileImportView[] {
  const choice = (uid: string) => form.choices.find((one) => one.uid === uid)?.choice ?? form.on_conflict
  const conflicts = (one: ConflictView) => {
    const chosen = choice(one.uid)
    return one.can_choose && chosen ? { ...one, resolution: CHOSEN[chosen] } : one
  }
  return files.map((one) => ({ ...one, conflicts: one.conflicts.map(conflicts) }))
}

export const earlier = (): FileView[] => [
  { name: 'invitation-okafor.ics', outcome: 'imported', at: '2026-11-16T17:02:00Z', refusal: null, waiting: 1 },
  { name: 'tournoi-hockey.ics', outcome: 'imported', at: '2026-11-14T07:47:00Z', refusal: null, waiting: 0 },
  { name: 'school-terms-2026.ics', outcome: 'unchanged', at: '2026-11-13T16:20:00Z', refusal: null, waiting: 0 },
  { name: 'export (3).ics', outcome: 'rejected', at: '2026-11-13T11:20:00Z', refusal: { why: 'no_events', line: 212 }, waiting: 0 },
]

export function offering(asked: Offering, hasFolders: boolean): FilesBridge {
  let offer: OfferView | null = null
  let offers = 0
  let watched: FoldersView = {
    watched: true,
    full: false,
    folders: hasFolders
      ? [
          { number: 0, name: 'Downloads', problem: null },
          { number: 1, name: 'School', problem: { code: 'INVALID_INPUT', message: '' } },
        ]
      : [],
  }
  let tell = () => {}
  const give = (files: FileImportView[]) => {
    offer = files.length === 0 ? null : { number: (offers += 1), names: files.map((one) => one.name) }
    tell()
  }
  give(views(asked))
  const look = (form: ImportForm): ImportView => ({ offer: form.offer, more: asked === 'many', files: answered(views(asked === 'none' ? 'one' : asked), form) })
  return {
    onOver: (listener) => void (asked === 'over' && listener(true)),
    onOffer: (listener) => (tell = listener),
    offered: () => Promise.resolve(offer),
    preview: (form) => Promise.resolve(look(form)),
    take: (form) => {
      const waits = look(form).files.map((one) => ({ ...one, closes: null, waiting: one.conflicts.filter((c) => c.resolution === 'waiting').length }))
      offer = null
      return Promise.resolve({ ...look(form), files: waits })
    },
    putAway: () => {
      offer = null
      return Promise.resolve()
    },
    choose: () => {
      give([school()])
      return Promise.resolve(null)
    },
    folders: () => Promise.resolve(watched),
    addFolder: () => {
      watched = { ...watched, folders: [...watched.folders, { number: watched.folders.length, name: 'Calendars', problem: null }] }
      return Promise.resolve(null)
    },
    removeFolder: (number) => {
      watched = { ...watched, folders: watched.folders.filter((folder) => folder.number !== number) }
      return Promise.resolve(null)
    },
    exportTo: (form) => Promise.resolve({ name: `bookiji-${form.from}-${form.to}.ics`, bookings: 16, slots: 38, addressed: true, problem: null }),
    invite: () => Promise.resolve({ name: 'booking-b7.ics', bookings: 0, slots: 0, addressed: true, problem: null }),
  }
}
