// What a check of the invented computer finds.

import type { CheckView, Code, DiagnosisView } from './types'

const WELL: [string, string][] = [
  ['profile', '(profile)'],
  ['settings', 'read'],
  ['lock', 'another Companion is running with this profile'],
  ['database', 'whole: 58 bookings, 5 calendars, 0 open operations'],
  ['keychain', 'can be read'],
  ['proxy', 'the system’s own, if any'],
  ['bookiji_contract', 'version 1.2.0'],
  ['bookiji', 'reached (HTTP 200)'],
  ['clock', 'right within 1 s'],
  ['bookiji_sign_in', 'reached (HTTP 200)'],
  ['google', 'reached (HTTP 401)'],
  ['google_sign_in', 'reached (HTTP 404)'],
  ['feed', 'ecole-st-louis.example gives a whole calendar (52 events)'],
]

const AILING: Record<string, [Code, string]> = {
  clock: ['CLOCK_WRONG', 'This computer’s clock is 300 s behind.'],
  feed: ['NETWORK_ERROR', 'The name ecole-st-louis.example could not be looked up.'],
}

export function diagnosis(ailing: boolean): DiagnosisView {
  const checks = WELL.map(([name, detail]): CheckView => {
    const fault = ailing ? AILING[name] : undefined
    return { name, ok: !fault, detail: fault?.[1] ?? detail, code: fault?.[0] ?? null }
  })
  const lines = checks.map((check) => `${check.ok ? 'ok  ' : 'FAIL'} ${check.name.padEnd(16)} ${check.detail}`)
  return { checks, text: ['Bookiji Companion 0.1.0 on linux', ...lines].join('\n') }
}
