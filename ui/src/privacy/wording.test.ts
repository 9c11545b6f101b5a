import { expect, it } from 'vitest'
import { lines, size } from './wording'

it('a message keeps its words and gets lines, and the times in it stand out', () => {
  const body = '{"provider":"google","intervals":[{"start":"2026-11-17T21:00:00Z"}]}'
  const shown = lines(body)
  expect(shown.map((line) => line.text.trim()).join('')).toBe(body.replace(/":/g, '": '))
  expect(shown.filter((line) => line.time).map((line) => line.text.trim())).toEqual(['"start": "2026-11-17T21:00:00Z"'])
})

it('what is no JSON is shown as it is', () => {
  expect(lines('{"cut": "he').map((line) => line.text)).toEqual(['{"cut": "he'])
})

it('even a small message has a size', () => {
  expect([size(0, 'en-GB'), size(12, 'en-GB'), size(640, 'en-GB')]).toEqual(['0.0 kB', '0.1 kB', '0.6 kB'])
})
