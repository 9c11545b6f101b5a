import { describe, expect, it } from 'vitest'
import type { StretchView } from '../bridge/types'
import { language } from '../language'
import { lines } from './hours'

const open = (...stretches: [number, number][]): StretchView[] => stretches.map(([from, until]) => ({ from: from * 60, until: until * 60 }))

describe('working hours', () => {
  const salon = [[], open([9, 12], [13, 18]), open([9, 12], [13, 18]), open([9, 12], [13, 18]), open([9, 20]), open([9.5, 16]), []]

  it('say days that are alike once', () => {
    expect(lines(salon, language(['en-GB'], 'Europe/Paris'))).toEqual([
      { days: 'Mon', times: '' },
      { days: 'Tue–Thu', times: '09:00–12:00, 13:00–18:00' },
      { days: 'Fri', times: '09:00–20:00' },
      { days: 'Sat', times: '09:30–16:00' },
      { days: 'Sun', times: '' },
    ])
  })

  it('are one line where every day is the same, in her own notation', () => {
    const always = Array.from({ length: 7 }, () => open([0, 24]))
    const american = lines(always, language(['en-US'], 'Europe/Paris')).map(({ days, times }) => `${days} ${times.replace(/\s/g, ' ')}`)
    expect(american).toEqual(['Mon–Sun 12:00 AM–12:00 AM'])
    expect(lines(always, language(['fr-FR'], 'Europe/Paris'))[0]).toEqual({ days: 'lun–dim', times: '00:00–00:00' })
  })
})
