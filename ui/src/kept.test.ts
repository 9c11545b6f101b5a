import { expect, it } from 'vitest'
import { kept } from './kept'

const day = (...titles: string[]) => ({ events: titles.map((title) => ({ title, span: { from: 9, to: 10 } })) })

it('says what is new, whatever stays the same object', () => {
  for (const [before, after] of [
    [day('a', 'b'), day('a', 'c')],
    [day('a', 'b', 'c'), day('a', 'c')],
    [day('a'), day('b', 'a', 'c')],
    [{ a: 1, b: undefined }, { a: 1, c: undefined }],
    [{ a: [1, 2] }, { a: { 0: 1, 1: 2 } }],
    [null, day('a')],
    [day('a'), null],
  ]) {
    expect(kept(before, structuredClone(after))).toStrictEqual(after)
  }
})

it('keeps all of it where nothing is new', () => {
  const before = day('a', 'b')
  expect(kept(before, day('a', 'b'))).toBe(before)
})

it('keeps every part beside the one that changed', () => {
  const before = day('a', 'b', 'c')
  const after = kept(before, day('a', 'x', 'c'))
  expect(after.events.map((event, index) => event === before.events[index])).toEqual([true, false, true])
  expect(after.events[1]!.span).toBe(before.events[1]!.span)
})

it('keeps what stands behind something that came in or went out', () => {
  const before = day('a', 'b', 'c')
  const shorter = kept(before, day('a', 'c'))
  expect(shorter.events).toEqual([before.events[0], before.events[2]])
  expect(shorter.events[1]).toBe(before.events[2])
  expect(kept(shorter, day('x', 'a', 'c')).events[2]).toBe(before.events[2])
})
