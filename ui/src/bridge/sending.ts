// What the invented Bookiji was sent this morning.

import { NOW } from './salon'
import type { MessageKind, MessageView, PrivacyView, SpanView, WordsView } from './types'

const at = (clock: string) => `2026-11-17T${clock}:00Z`
const span = (from: string, until: string): SpanView => ({ start: `2026-11-${from}:00Z`, end: `2026-11-${until}:00Z` })

const BUSY: Record<string, SpanView[]> = {
  work: [span('17T15:00', '17T16:15'), span('18T08:00', '18T09:45'), span('19T12:30', '19T14:00')],
  personal: [span('16T10:30', '16T11:30'), span('20T11:30', '20T12:30'), span('20T15:00', '20T16:45')],
}

const busyBody = (calendar: string) =>
  JSON.stringify({
    provider: calendar === 'work' ? 'microsoft' : 'google',
    connection_id: calendar,
    window: { start: '2026-11-16T23:00:00.000Z', end: '2026-12-17T23:00:00.000Z' },
    checksum: '4e60157f9ab0075791064d566714c0de4e60157f9ab0075791064d566714c0de',
    intervals: BUSY[calendar]!.map(({ start, end }) => ({
      external_id: `${calendar}-${Date.parse(start)}-${Date.parse(end)}`,
      start: new Date(start).toISOString(),
      end: new Date(end).toISOString(),
    })),
  })

let serial = 0
const message = (
  time: string, kind: MessageKind, method: string, target: string, bytes: number, more: Partial<MessageView> = {},
): MessageView => ({
  number: (serial += 1), kind, calendar: null, at: at(time), times: 1, bytes, accepted: true, method, target, ...more,
})

const MESSAGES: MessageView[] = [
  message('08:02', 'sign_in', 'POST', '/auth/v1/token', 94),
  message('08:02', 'profile', 'GET', '/rest/v1/profiles', 0),
  message('09:53', 'busy_times', 'PUT', '/api/vendor/calendar/busy', busyBody('personal').length, { calendar: 'personal' }),
  message('10:14', 'status', 'POST', '/api/vendor/calendar/sync-status', 148, { times: 22 }),
  message('10:14', 'busy_times', 'PUT', '/api/vendor/calendar/busy', busyBody('work').length, { calendar: 'work' }),
  message('10:21', 'changed_booking', 'POST', '/api/bookings/reschedule', 131, { accepted: false }),
  message('10:38', 'lease', 'PUT', '/api/vendor/calendar/lease', 86, { times: 157 }),
  message('10:38', 'asked_bookings', 'GET', '/api/vendor/bookings?limit=200&cursor=a9xK', 0, { times: 156 }),
].reverse()

const OTHERS: Partial<Record<MessageKind, object>> = {
  status: { connection_id: 'work', last_synced_at: NOW, status: 'success', next_sync_at: '2026-11-17T10:43:00Z' },
  changed_booking: { booking_id: '5f0c1d52', new_start: '2026-11-17T14:00:00Z', new_end: '2026-11-17T15:00:00Z' },
  lease: { installation: '9b1e', name: 'Front desk', term_seconds: 120 },
}

export function sending(nothing: boolean) {
  return {
    privacy: (): PrivacyView =>
      nothing
        ? { messages: [], example: null }
        : {
            messages: MESSAGES,
            example: {
              calendar: 'work', service: 'outlook', title: 'Dentist', location: 'Dr Phan, 12 rue des Lilas', has_notes: true,
              event: span('19T12:30', '19T13:45'), sent: span('19T12:30', '19T14:00'),
            },
          },
    words(number: number): WordsView | null {
      const found = MESSAGES.find((one) => one.number === number)
      if (!found) return null
      const other = OTHERS[found.kind]
      const body = found.calendar ? busyBody(found.calendar) : other ? JSON.stringify(other) : null
      const spans = found.calendar ? BUSY[found.calendar]! : []
      return { number, body, withheld: found.kind === 'sign_in', cut: false, spans }
    },
  }
}
