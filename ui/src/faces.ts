// Which hatch stands for which calendar. A service has its own; a second calendar of it takes one that is free. The
// calendar that bookings go to chooses last: most of it is drawn as bookings.

import type { ConnectionView, Role, Service } from './bridge/types'

export const FACES = ['rising', 'falling', 'dots', 'level', 'cross'] as const
export type Face = (typeof FACES)[number]

const OWN: Record<Service, Face> = { google: 'rising', outlook: 'falling', caldav: 'dots', ics: 'level' }

/** Gives every calendar in use its face; beyond five, faces repeat. */
export function faces(connections: ConnectionView[]): Map<string, Face> {
  const given = new Map<string, Face>()
  const withRole = (role: Role) =>
    connections.flatMap((connection) =>
      connection.calendars.filter((calendar) => calendar.role === role).map((calendar) => ({ connection, calendar })),
    )
  const taken = new Set<Face>()
  for (const { connection, calendar } of [...withRole('busy'), ...withRole('target')]) {
    const own = OWN[connection.service]
    const face = taken.has(own) ? (FACES.find((other) => !taken.has(other)) ?? own) : own
    taken.add(face)
    given.set(calendar.id, face)
  }
  return given
}

/** The face of an account's row: that of its first calendar that blocks time. */
export function faceOf(connection: ConnectionView, given: Map<string, Face>): Face {
  const first = connection.calendars.find((calendar) => calendar.role === 'busy')
  return (first && given.get(first.id)) ?? OWN[connection.service]
}
