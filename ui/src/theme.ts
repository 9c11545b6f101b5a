// How the window is lit. The dark tokens stand in a media query; whoever wants another light than the system's has that
// query answered by hand, so that they stand in one place.

import type { Theme } from './bridge/types'

const DARK = '(prefers-color-scheme: dark)'
const ANSWERS: Record<Theme, string> = { system: DARK, dark: 'all', light: 'not all' }

/** Queries that ask for the dark, however they were answered since. */
const asking = new Set<MediaList>()

export function wear(theme: Theme, sheets: Iterable<CSSStyleSheet> = document.styleSheets): void {
  for (const sheet of sheets) {
    for (const rule of sheet.cssRules) {
      if ('media' in rule && (rule as CSSMediaRule).media.mediaText.includes('prefers-color-scheme: dark')) {
        asking.add((rule as CSSMediaRule).media)
      }
    }
  }
  for (const query of asking) query.mediaText = ANSWERS[theme]
}
