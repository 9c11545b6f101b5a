// What the invented salon's calendars are for, and her next all-day events. Answers as the app would.

import { WORKING } from './salon'
import type { AllDay, ChoicesView, ChooseForm, ConnectionView, ExampleView, Role, ShownAs } from './types'

const day = (date: string, days = 1) => {
  const start = Date.parse(`${date}T00:00:00+01:00`)
  return { start: new Date(start).toISOString(), end: new Date(start + days * 86_400_000).toISOString() }
}

const example = (title: string, calendar: string, date: string, shown: ShownAs, days = 1): ExampleView => ({
  title,
  calendar,
  ...day(date, days),
  shown,
  never: false,
  if_busy: shown === 'busy' || shown === 'away' || shown === 'tentative',
  always: shown !== 'declined' && shown !== 'birthday',
})

const EXAMPLES: ExampleView[] = [
  example('Mamie’s birthday', 'family', '2026-11-22', 'busy'),
  example('Beaujolais nouveau', 'personal', '2026-11-19', 'free'),
  example('Closed for the day', 'family', '2026-11-27', 'busy'),
  example('Théo', 'personal', '2026-12-01', 'birthday'),
  example('Salon professionnel', 'work', '2026-12-05', 'tentative', 3),
  example('Trade union meeting', 'work', '2026-12-10', 'declined'),
  example('Christmas', 'family', '2026-12-25', 'busy'),
  example('Skiing, Les Contamines', 'family', '2026-12-27', 'away', 6),
  example('Zone B: school holidays', 'school', '2027-02-20', 'free', 16),
  example('Inventory', 'work', '2027-03-01', 'busy'),
].sort((a, b) => a.start.localeCompare(b.start))

const READ_ONLY = new Set(['school', 'holidays', 'course'])

export function choosing(connections: ConnectionView[]) {
  let allDay: AllDay = 'if_busy'
  let tentative = true
  const buffers = new Map([['work', [0, 15]]])
  const roles = new Map<string, Role>()

  return {
    choices(): ChoicesView {
      const calendars = connections.flatMap((connection) =>
        connection.calendars.map((calendar) => ({
          id: calendar.id,
          connection: connection.id,
          service: connection.service,
          account: connection.account,
          files: connection.files,
          name: calendar.name,
          role: roles.get(calendar.id) ?? calendar.role,
          writable: !READ_ONLY.has(calendar.id),
          buffer_before_minutes: buffers.get(calendar.id)?.[0] ?? 0,
          buffer_after_minutes: buffers.get(calendar.id)?.[1] ?? 0,
        })),
      )
      const used = new Set(calendars.filter((calendar) => calendar.role !== 'off').map((calendar) => calendar.id))
      return {
        calendars,
        all_day: calendars.length > 0 ? allDay : 'if_busy',
        tentative_blocks: tentative,
        examples: EXAMPLES.filter((one) => used.has(one.calendar)),
        hours: WORKING.map((until) => (until ? [{ from: 9 * 60, until: until * 60 }] : [])),
      }
    },
    choose(form: ChooseForm) {
      allDay = form.all_day ?? allDay
      tentative = form.tentative_blocks ?? tentative
      if (!form.calendar) return
      if (form.role === 'target') {
        for (const connection of connections) {
          for (const { id, role } of connection.calendars) if ((roles.get(id) ?? role) === 'target') roles.set(id, 'busy')
        }
      }
      if (form.role) roles.set(form.calendar, form.role)
      const [before, after] = buffers.get(form.calendar) ?? [0, 0]
      buffers.set(form.calendar, [form.buffer_before_minutes ?? before!, form.buffer_after_minutes ?? after!])
    },
  }
}
