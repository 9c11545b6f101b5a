import { describe, expect, it } from 'vitest'
import { salon } from '../bridge/salon'
import type { Overview } from '../bridge/types'
import { language } from '../language'
import { en } from '../messages/en'
import { standing } from '../shell/standing'
import { trouble } from '../shell/trouble'
import { headline, rhythm } from './headline'
import { ranAs } from './run'

const speech = language(['en-GB'], 'Europe/Paris')
const NOW = Date.parse(salon().now)

describe('the sentence on top', () => {
  it.each<[Partial<Overview>, string]>([
    [{}, 'Everything is up to date'],
    [{ connections: [] }, 'Nothing is synced yet'],
    [{ vendor: null }, 'Nothing is synced yet'],
    [{ state: 'needs_you' }, 'Bookiji needs you'],
    [{ state: 'offline' }, 'Some of it can’t be reached'],
  ])('%j', (change, said) => {
    expect(headline({ ...salon(), ...change }, en)).toBe(said)
  })

  it('counts the calendars that wait for her', () => {
    const overview = salon()
    overview.connections[1]!.state = 'needs_you'
    expect(headline({ ...overview, state: 'needs_you' }, en)).toBe('One calendar needs you')
  })

  it('says when', () => {
    expect(rhythm(salon(), speech, NOW)).toBe('Last synced: 11:38. Next at 11:43, then every 5 minutes.')
    expect(rhythm({ ...salon(), last_sync_at: null }, speech, NOW)).toBe('Not synced yet.')
  })
})

describe('the foot of the rail', () => {
  it('says how long ago', () => {
    expect(standing(salon(), speech, NOW)).toEqual({ state: 'Up to date', sentence: '2 min ago' })
  })
  it('says which computer writes instead', () => {
    expect(standing({ ...salon(), standing_by: 'studio-mac' }, speech, NOW)).toEqual({
      state: 'Up to date',
      sentence: 'Standing by: studio-mac writes · 2 min ago',
    })
  })
  it('says until when it pauses', () => {
    const paused = { ...salon(), state: 'paused' as const, paused_until: '2026-11-17T12:00:00Z' }
    expect(standing(paused, speech, NOW).sentence).toBe('Until 13:00')
  })
})

describe('trouble', () => {
  const problem = { code: 'NETWORK_ERROR' as const, message: 'refused' }
  it('is named after the account that has it', () => {
    const overview: Overview = { ...salon(), state: 'offline', problem }
    overview.connections[1]!.problem = problem
    expect(trouble(overview, speech)).toMatchObject({ said: 'Outlook: A service cannot be reached.', stale: null })
  })
  it('of Bookiji itself says how old the week is', () => {
    const told = trouble({ ...salon(), state: 'offline', problem }, speech)
    expect(told?.said).toMatch(/^Bookiji: /)
    expect(told?.stale).toMatch(/^This is your week as of 11:38\./)
  })
  it('of a sign-in to Bookiji that ended asks for another, and that of an account does not', () => {
    const ended = { code: 'OAUTH_TOKEN_EXPIRED' as const, message: '' }
    const overview: Overview = { ...salon(), state: 'needs_you', problem: ended }
    expect(trouble(overview, speech)?.signsIn).toBe(true)
    expect(trouble({ ...overview, problem }, speech)?.signsIn).toBe(false)
    overview.connections[1]!.problem = ended
    expect(trouble(overview, speech)?.signsIn).toBe(false)
  })
  it('is not there while all is well', () => {
    expect(trouble(salon(), speech)).toBeNull()
  })
})

describe('a run', () => {
  const quiet = salon().runs[0]!
  it('that changed nothing says so', () => {
    expect(ranAs(quiet, en)).toEqual({ said: 'Nothing to change', state: null, idle: true })
  })
  it('says what it did', () => {
    expect(ranAs({ ...quiet, created: 2, published: 1 }, en).said).toBe('2 events added, 1 busy calendar sent')
  })
  it('that made or removed slots says how many', () => {
    expect(ranAs({ ...quiet, slots_opened: 3, slots_closed: 1 }, en)).toMatchObject({ said: '3 slots opened, 1 slot closed', idle: false })
  })
  it('that failed is marked, and one that goes on too', () => {
    expect(ranAs({ ...quiet, outcome: 'error' }, en)).toMatchObject({ said: 'Did not finish', state: 'error' })
    expect(ranAs({ ...quiet, ended_at: null, outcome: null }, en)).toMatchObject({ state: 'syncing' })
  })
})
