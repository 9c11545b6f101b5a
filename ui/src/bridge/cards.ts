// Questions that the invented salon may be asked: the usual three, and one of every kind.

import type { CardView, SpanView } from './types'

const ASKING: CardView = {
  id: '', kind: 'moved', presses: true, options: [], may_stand: false, customer: null, service: null, booked: null,
  found: null, calendar: 'bookiji', calendar_name: 'Bookiji', title: null, refused: null, over: [], account: null,
  former_account: null, appointments: 0, staying: 0, events: 0, stands_for: [],
}

const card = (of: Partial<CardView> & Pick<CardView, 'kind' | 'options'>): CardView => ({ ...ASKING, id: of.kind, ...of })

/** Of this week's day, in the salon's winter: UTC+1. */
const span = (day: number, from: string, to: string): SpanView => ({
  start: `2026-11-${day}T${from}:00+01:00`,
  end: `2026-11-${day}T${to}:00+01:00`,
})

const moved = () =>
  card({
    kind: 'moved', options: ['move', 'propose', 'put_back', 'leave'], may_stand: true, service: 'Blow-dry',
    customer: 'Jade Tremblay', booked: span(17, '14:00', '15:00'), found: span(17, '15:00', '16:00'),
  })

const overlap = () =>
  card({
    kind: 'overlap', options: ['leave', 'cancel'], service: 'Colour and cut', customer: 'Nadia Benali',
    booked: span(20, '14:30', '16:30'), calendar: 'personal', calendar_name: 'Personal',
    over: [
      { title: 'Parents’ meeting', calendar: 'personal', all_day: false, span: span(20, '16:00', '17:00') },
      { title: '', calendar: 'work', all_day: true, span: span(20, '00:00', '23:59') },
    ],
  })

function held(): CardView[] {
  const who: [string, string, SpanView][] = [
    ['Colour', 'Maya Cohen', span(20, '09:30', '11:00')],
    ['Haircut', 'Olivier Côté', span(20, '11:00', '12:00')],
    ['Haircut', 'Hugo Nguyen', span(21, '12:30', '13:30')],
    ['Bridal trial', 'Gabrielle Fortin', span(21, '09:00', '12:00')],
  ]
  const single = who.map(([service, customer, when], index) =>
    card({ id: `held-${index}`, kind: 'held_deletion', options: ['remove', 'leave'], service, customer, booked: when, found: when }),
  )
  const all = card({
    kind: 'held_deletions', options: ['remove', 'leave'], events: who.length, stands_for: single.map((one) => one.id),
  })
  return [all, ...single]
}

export const usualCards = (): CardView[] => [moved(), ...held(), overlap()]

export const everyCard = (): CardView[] => [
  ...usualCards(),
  card({ id: 'declined', kind: 'moved', options: ['move', 'put_back', 'leave'], may_stand: true, refused: 'declined', service: 'Haircut', customer: 'Inès Roche', booked: span(18, '13:00', '14:00'), found: span(18, '16:00', '17:00') }),
  card({ id: 'lapsed', kind: 'moved', options: ['move', 'put_back', 'leave'], may_stand: true, refused: 'lapsed', service: 'Haircut', customer: 'Paul Lemaire', booked: span(18, '15:00', '16:00'), found: span(19, '15:00', '16:00') }),
  card({ kind: 'resized', options: ['move', 'put_back', 'leave'], may_stand: true, service: 'Haircut', customer: 'Léa Bouchard', booked: span(19, '09:30', '10:30'), found: span(19, '09:30', '11:15') }),
  card({ kind: 'deleted', options: ['cancel', 'put_back', 'leave'], service: 'Balayage', customer: 'Noor Rahmani', booked: span(19, '11:00', '13:00') }),
  card({ kind: 'moved_both', options: ['move', 'put_back', 'leave'], service: 'Gloss', customer: 'Emma Lavoie', booked: span(19, '16:00', '17:00'), found: span(18, '10:00', '11:00') }),
  card({ kind: 'moved_cancelled', options: ['remove', 'leave'], service: 'Haircut', customer: 'Théo Girard', booked: span(19, '17:00', '18:00'), found: span(18, '17:00', '18:00') }),
  card({ kind: 'copied', options: ['leave', 'unblock'], may_stand: true, service: 'Haircut', customer: 'Marc Gagnon', booked: span(18, '11:00', '12:00'), found: span(25, '11:00', '12:00') }),
  card({ kind: 'doubled', options: ['leave', 'remove'], service: 'Colour', customer: 'Agathe Morel', booked: span(16, '13:30', '15:00'), found: span(16, '13:30', '15:00'), events: 2 }),
  card({ kind: 'target_gone', options: ['create', 'leave'], appointments: 42 }),
  card({ kind: 'account_changed', options: ['switch', 'leave'], account: 'amelie.perso@example.com', former_account: 'studio.lumiere@example.com', appointments: 42, staying: 5 }),
  card({ kind: 'invitation', options: ['accept', 'decline'], title: 'Salon professionnel', found: span(24, '09:00', '17:00'), calendar: null, calendar_name: null }),
  card({ kind: 'import_conflict', options: ['replace', 'merge', 'skip'], title: 'Open for walk-ins', found: span(25, '14:00', '18:00'), events: 3, calendar: null, calendar_name: null }),
  card({ kind: 'proposed', presses: false, options: ['leave', 'put_back', 'move'], service: 'Gloss', customer: 'Claire Dubois', booked: span(20, '09:00', '10:00'), found: span(20, '12:00', '13:00') }),
  card({ kind: 'renamed', presses: false, options: ['leave', 'put_back'], service: 'Bridal trial', customer: 'Gabrielle Fortin', booked: span(21, '09:00', '12:00') }),
]
