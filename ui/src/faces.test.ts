import { expect, it } from 'vitest'
import type { ConnectionView } from './bridge/types'
import { faces } from './faces'

const connection = (service: ConnectionView['service'], ...calendars: string[]): ConnectionView => ({
  id: service, service, account: '', files: false, state: 'up_to_date', problem: null, instead: null, last_sync_at: null, next_sync_at: null,
  calendars: calendars.map((id) => ({
    id, name: id, role: id === 'off' ? 'off' : id === 'target' ? 'target' : 'busy', state: 'up_to_date', problem: null, outcome: null,
    last_sync_at: null, next_sync_at: null, frequency_minutes: 5, published: 0, bookings: 0,
  })),
})

it('gives each calendar a hatch of its own, and none to what is left alone', () => {
  const given = faces([connection('google', 'target', 'a', 'off'), connection('outlook', 'd')])
  expect([...given]).toEqual([['a', 'rising'], ['d', 'falling'], ['target', 'dots']])
})
