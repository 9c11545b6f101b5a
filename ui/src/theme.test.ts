import { expect, it } from 'vitest'
import { wear } from './theme'

const rule = (mediaText: string) => ({ media: { mediaText } })

it('only what asks for the dark is answered by hand, and the system can have its word back', () => {
  const [dark, narrow] = [rule('(prefers-color-scheme: dark)'), rule('(max-width: 1099px)')]
  const sheets = [{ cssRules: [dark, narrow, { selectorText: 'p' }] }] as unknown as CSSStyleSheet[]
  const worn = (theme: 'dark' | 'light' | 'system') => {
    wear(theme, sheets)
    return dark.media.mediaText
  }
  expect([worn('dark'), worn('light'), worn('system')]).toEqual(['all', 'not all', '(prefers-color-scheme: dark)'])
  expect(narrow.media.mediaText).toBe('(max-width: 1099px)')
})
