// What a run of the salon did, and why a time of it is closed. Invented.

import type { ExplainedView, Overview, RunStoryView, StepView } from './types'

const step = (more: Partial<StepView>): StepView => ({
  id: 1, kind: 'create_event', why: 'new_booking', end: 'done', at: '2026-11-17T10:33:01Z', booking: null, title: null, customer: null,
  service: null, calendar: 'Bookiji', span: null, before: null, times: 0, spans: [], problem: null, ...more,
})

const span = (day: number, from: string, to: string) => ({ start: `2026-11-${day}T${from}:00Z`, end: `2026-11-${day}T${to}:00Z` })

export function storyOf(shown: Overview, id: string): RunStoryView {
  const run = shown.runs.find((one) => one.id === id) ?? shown.runs[0]!
  return {
    run,
    more: 0,
    steps: [
      step({ id: 1, customer: 'Léa Bouchard', service: 'Haircut', span: span(19, '08:30', '09:30') }),
      step({
        id: 2, kind: 'update_event', why: 'booking_moved', customer: 'Noor Rahmani', service: 'Balayage',
        span: span(19, '10:00', '12:00'), before: span(20, '10:00', '12:00'),
      }),
      step({
        id: 3, kind: 'publish_busy', why: 'her_calendars', calendar: 'Work', times: 3,
        spans: [span(17, '15:00', '16:15'), span(18, '08:00', '09:45'), span(19, '12:30', '14:00')],
      }),
      step({
        id: 4, kind: 'remove_event', why: 'booking_over', end: 'failed', customer: 'Hugo Nguyen', service: 'Haircut', span: span(21, '11:30', '12:30'),
        problem: { code: 'NETWORK_ERROR', message: 'Google cannot be reached.' },
      }),
    ],
  }
}

export function explained(shown: Overview, moment: string): ExplainedView {
  const at = Date.parse(moment)
  const over = shown.schedule.busy.filter((busy) => Date.parse(busy.blocks_from) <= at && at < Date.parse(busy.blocks_to))
  const calendars = shown.connections.flatMap((one) => one.calendars)
  const because = over.map((busy) => {
    const calendar = calendars.find((one) => one.id === busy.calendar)
    const rule = busy.all_day ? ('all_day' as const) : at < Date.parse(busy.start) || Date.parse(busy.end) <= at ? ('buffer' as const) : ('busy' as const)
    return { rule, calendars: calendar ? [calendar.name] : [], title: busy.title || null, checked_at: calendar?.last_sync_at ?? null, blocks: true }
  })
  return { bookable: because.length === 0, because }
}
