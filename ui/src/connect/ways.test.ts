import { expect, it } from 'vitest'
import { salon } from '../bridge/salon'
import type { Service } from '../bridge/types'
import { byBrowser, serverOf, WAYS, wayOf } from './ways'

const SERVICES: Service[] = ['google', 'outlook', 'caldav', 'ics']
const account = (service: Service, account = 'amelie') => ({ ...salon().connections[0]!, service, account })

it('an account is connected again in the way in which it came', () => {
  const ways = SERVICES.map((service) => wayOf(account(service)))
  expect(ways).toEqual(['google', 'outlook', 'caldav', 'link'])
  expect(ways.every((way) => WAYS.includes(way))).toBe(true)
})

it('an account of iCloud opens its own form, and any other server stands in it as it was named', () => {
  const named = (server: string) => account('caldav', `amelie@example.com (${server})`)
  expect(wayOf(named('caldav.icloud.com'))).toBe('icloud')
  expect(wayOf(named('icloud.com.example.org'))).toBe('caldav')
  expect(['caldav.fastmail.com', 'cloud.example.org'].map((server) => serverOf(named(server)))).toEqual(['fastmail', 'cloud.example.org'])
  expect(serverOf(account('google', 'amelie@example.com'))).toBe('')
})

it('only those two go through the browser', () => {
  expect(WAYS.filter(byBrowser)).toEqual(['google', 'outlook'])
})
