// A card's facts as the sentences she reads: what happened, what is asked, and what each answer comes to.

import type { CardOption, CardView, ConnectionView, SpanView } from '../bridge/types'
import type { Language } from '../language'
import { connectionName } from '../names'

export interface Answer {
  option: CardOption
  label: string
  note: string
}

export interface Said {
  title: string
  body: string
  answers: Answer[]
}

export function said(card: CardView, language: Language, now: number): Said {
  const words = language.words.decisions
  const { options: labels, notes } = words
  const who = card.customer ?? card.service ?? words.someone
  const first = card.customer?.split(' ')[0] ?? words.someone
  const booked = card.booked ? language.moment(card.booked.start, now) : ''
  const bookedRange = card.booked ? range(card.booked, language, now) : ''
  const found = card.found ? beside(card.found, card.booked, language, now) : ''
  const foundRange = card.found ? range(card.found, language, now) : ''
  const service = card.service ?? words.booking
  const hers = (...facts: string[]) => `${[service, ...facts].filter(Boolean).join(', ')}.`
  const answers = (of: Partial<Record<CardOption, [label: string, note?: string]>>): Answer[] =>
    card.options.flatMap((option) => {
      const [label, note = ''] = of[option] ?? []
      return label ? [{ option, label, note }] : []
    })
  const move = () =>
    answers({
      move: [labels.move(found), notes.told(first)],
      propose: [labels.propose(first), notes.asked(first)],
      put_back: [labels.putBack(booked), notes.returns(first)],
      leave: [labels.leaveBoth, notes.bothStay(booked, found)],
    })
  const movedBody = () => {
    if (card.refused === 'declined') return words.declinedBody(first, booked, found)
    if (card.refused === 'lapsed') return words.lapsedBody(first, booked, found)
    return words.movedBody(booked, found)
  }
  const removal = () =>
    answers({ remove: [labels.remove, found && notes.at(found)], leave: [labels.keep, notes.staysBlocked] })

  switch (card.kind) {
    case 'moved':
      return {
        title: words.moved(who, found),
        body: `${hers()} ${movedBody()}`,
        answers: move(),
      }
    case 'proposed':
      return {
        title: words.proposed(who, found),
        body: `${hers()} ${words.proposedBody(booked)}`,
        answers: answers({
          leave: [labels.wait, notes.bothStay(booked, found)],
          put_back: [labels.takeBack(booked), notes.askedNoMore(first)],
          move: [labels.moveNow(found), notes.told(first)],
        }),
      }
    case 'resized':
      return {
        title: words.resized(who, foundRange),
        body: `${hers()} ${words.resizedBody(bookedRange)}`,
        answers: answers({
          move: [labels.resize(foundRange), notes.told(first)],
          put_back: [labels.putBack(bookedRange), notes.returns(first)],
          leave: [labels.leaveBoth, notes.bothStay(bookedRange, foundRange)],
        }),
      }
    case 'deleted':
      return {
        title: words.deleted(who),
        body: `${hers(bookedRange)} ${words.deletedBody}`,
        answers: answers({
          cancel: [labels.cancel, notes.told(first)],
          put_back: [labels.putBackAnew, notes.at(booked)],
          leave: [labels.leave, notes.noEvent],
        }),
      }
    case 'moved_both':
      return {
        title: words.movedBoth(who),
        body: words.movedBothBody(booked, found),
        answers: move(),
      }
    case 'moved_cancelled':
      return { title: words.movedCancelled(who), body: words.movedCancelledBody(found), answers: removal() }
    case 'held_deletion':
      return {
        title: words.held(who),
        body: card.booked ? `${hers(bookedRange)} ${words.heldBody}` : words.heldGone,
        answers: removal(),
      }
    case 'held_deletions':
      return {
        title: words.heldMany(card.events),
        body: words.heldManyBody,
        answers: answers({ remove: [labels.removeAll(card.events)], leave: [labels.keepAll(card.events)] }),
      }
    case 'renamed':
      return {
        title: words.renamed(who),
        body: `${hers(bookedRange)} ${words.renamedBody}`,
        answers: answers({ leave: [labels.keepWords], put_back: [labels.ourWords] }),
      }
    case 'copied':
      return {
        title: words.copied(who),
        body: words.copiedBody(foundRange),
        answers: answers({
          leave: [labels.another, notes.staysBlocked],
          unblock: [labels.unblock, notes.copyStays],
          remove: [labels.remove],
        }),
      }
    case 'doubled':
      return {
        title: words.doubled(who, card.events),
        body: `${hers(bookedRange)} ${words.doubledBody}`,
        answers: answers({
          leave: [card.events === 2 ? labels.keepBoth : labels.keepAll(card.events), notes.staysBlocked],
          remove: [labels.removeSecond, found && notes.at(found)],
        }),
      }
    case 'overlap': {
      const over = card.over[0]
      const sameDay = over && card.booked && language.dayOf(over.span.start) === language.dayOf(card.booked.start)
      const span = over && (sameDay ? language.timeRange(over.span.start, over.span.end) : range(over.span, language, now))
      const when = over?.all_day ? words.allDay : (span ?? '')
      const rest = card.over.length > 1 ? ` ${words.more(card.over.length - 1)}` : ''
      return {
        title: words.overlap(booked),
        body: `${hers(who, card.booked ? language.timeRange(card.booked.start, card.booked.end) : '')} ${words.overlapBody(over?.title || words.untitled, when)}${rest}`,
        answers: answers({ leave: [labels.canDoBoth, notes.notAgain], cancel: [labels.cancel, notes.told(first)] }),
      }
    }
    case 'target_gone':
      return {
        title: words.targetGone(card.calendar_name ?? 'Bookiji'),
        body: words.targetGoneBody(card.appointments),
        answers: answers({
          create: [labels.create, notes.gets(card.appointments)],
          leave: [labels.wait, notes.comeBack],
        }),
      }
    case 'account_changed':
      return {
        title: words.accountChanged(card.account ?? ''),
        body: words.accountChangedBody(card.former_account ?? ''),
        answers: answers({
          switch: [labels.use, `${notes.gets(card.appointments)} ${notes.stay(card.staying)}`],
          leave: [labels.keepAccount(card.former_account ?? '')],
        }),
      }
    case 'invitation':
      return {
        title: words.invited(card.title || words.untitled, found),
        body: words.invitedBody,
        answers: answers({ accept: [labels.accept], decline: [labels.decline] }),
      }
    case 'import_conflict':
      return {
        title: words.conflict(card.title || words.untitled),
        body: words.conflictBody(foundRange, card.events),
        answers: answers({
          replace: [labels.replace, notes.replace],
          merge: [labels.merge, notes.merge],
          skip: [labels.skip, notes.skip],
        }),
      }
  }
}

/** What the card is filed under: the calendar, or the file it came in. */
export function source(card: CardView, connections: readonly ConnectionView[], language: Language): string {
  const words = language.words.decisions
  if (card.kind === 'invitation') return words.invitation
  if (card.kind === 'import_conflict') return words.imported
  if (card.kind === 'overlap') return words.doubleBooking
  const home = connections.find(({ calendars }) => calendars.some(({ id }) => id === card.calendar))
  if (!home) return card.calendar_name ?? ''
  return `${connectionName(home, language.words)}, ${card.calendar_name}`
}

/** With its day, unless it is today. */
function range(span: SpanView, language: Language, now: number): string {
  const from = language.moment(span.start, now)
  return span.end === span.start ? from : `${from}–${language.time(span.end)}`
}

/** The day is not said twice. */
function beside(span: SpanView, other: SpanView | null, language: Language, now: number): string {
  const sameDay = other && language.dayOf(span.start) === language.dayOf(other.start)
  return sameDay ? language.time(span.start) : language.moment(span.start, now)
}
