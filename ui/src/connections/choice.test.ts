import { expect, it } from 'vitest'
import { choosing } from '../bridge/choosing'
import { salon } from '../bridge/salon'
import { en } from '../messages/en'
import { destination, NOTHING, options } from './choice'

const of = (id: string, choices = choosing(salon().connections).choices()) =>
  options(choices.calendars.find((calendar) => calendar.id === id)!, en.choose).map((option) => !option.not)

it('a calendar that can only be read takes no bookings, and the one that takes them keeps them until another does', () => {
  expect(of('personal')).toEqual([true, true, true])
  expect(of('school')).toEqual([true, false, true])
  expect(of('bookiji')).toEqual([false, true, false])
})

it('where bookings go is said, also before there is such a calendar', () => {
  const fake = choosing(salon().connections)
  fake.choose({ ...NOTHING, calendar: 'work', role: 'target' })
  expect(destination(fake.choices(), en)).toBe('Bookings go to “Work” in Outlook.')
  expect(fake.choices().calendars.filter((calendar) => calendar.role === 'target')).toHaveLength(1)
  fake.choose({ ...NOTHING, calendar: 'work', role: 'busy' })
  expect(destination(fake.choices(), en)).toBe(en.choose.bookingsNew)
  expect(destination({ ...fake.choices(), calendars: [] }, en)).toBe(en.choose.bookingsNowhere)
})
