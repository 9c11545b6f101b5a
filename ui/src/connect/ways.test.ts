import { expect, it } from 'vitest'
import type { Service } from '../bridge/types'
import { byBrowser, WAYS, wayOf } from './ways'

const SERVICES: Service[] = ['google', 'outlook', 'caldav', 'ics']

it('an account is connected again in the way in which it came', () => {
  expect(SERVICES.map(wayOf)).toEqual(['google', 'outlook', 'caldav', 'link'])
  expect(SERVICES.map(wayOf).every((way) => WAYS.includes(way))).toBe(true)
})

it('only those two go through the browser', () => {
  expect(WAYS.filter(byBrowser)).toEqual(['google', 'outlook'])
})
