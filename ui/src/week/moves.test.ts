import { expect, it } from 'vitest'
import { neighbour, type Cell } from './moves'

const cells: Cell[] = [
  { key: 'mon 9', day: 0, from: 9 },
  { key: 'tue 9', day: 1, from: 9 },
  { key: 'tue 14', day: 1, from: 14 },
  { key: 'fri 10', day: 4, from: 10 },
  { key: 'fri 15', day: 4, from: 15 },
]

it.each([
  ['tue 9', 'ArrowDown', 'tue 14'],
  ['tue 14', 'ArrowDown', undefined],
  ['tue 14', 'ArrowUp', 'tue 9'],
  ['tue 14', 'ArrowRight', 'fri 15'],
  ['fri 10', 'ArrowLeft', 'tue 9'],
  ['mon 9', 'ArrowLeft', undefined],
  ['fri 15', 'Home', 'fri 10'],
  ['fri 10', 'End', 'fri 15'],
  ['fri 10', 'x', undefined],
  ['gone', 'ArrowDown', undefined],
])('%s, %s: %s', (from, key, to) => {
  expect(neighbour(cells, from, key)?.key).toBe(to)
})
