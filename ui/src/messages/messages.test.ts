import { describe, expect, it } from 'vitest'
import { en } from './en'
import { fr } from './fr'

/** Every leaf as `path -> text`; what takes numbers or words is called with some. */
function leaves(table: object, path = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(table)) {
    const here = path ? `${path}.${key}` : key
    if (typeof value === 'string') found.set(here, value)
    else if (typeof value === 'function') found.set(here, String(value('2', '11:30', '5')))
    else for (const [below, text] of leaves(value, here)) found.set(below, text)
  }
  return found
}

describe('the two languages', () => {
  const english = leaves(en)
  const french = leaves(fr)

  it('say the same things', () => {
    expect([...french.keys()].sort()).toEqual([...english.keys()].sort())
  })

  it('leave nothing unsaid', () => {
    for (const [key, text] of [...english, ...french]) expect(text.trim(), key).not.toBe('')
  })

  it('differ wherever they hold a sentence', () => {
    const same = [...english].filter(([key, text]) => text.includes(' ') && french.get(key) === text)
    expect(same.map(([key]) => key)).toEqual(['places.label'])
  })

  it('French keeps its punctuation from falling onto the next line', () => {
    for (const [key, text] of french) {
      expect(text, key).not.toMatch(/ [:;?!»]|« /)
      expect(text, key).not.toMatch(/[^\u202f\d][;?!»]|«[^\u202f]|[\p{L}»]:(?!\/)|'/u)
    }
  })

  it('French writes a word one way', () => {
    for (const [key, text] of french) expect(text, key).not.toMatch(/événement|(?<!Google |de l’)agenda/i)
  })
})

describe('numbers', () => {
  it('follow each language', () => {
    expect([en.sync.created(0), en.sync.created(1)]).toEqual(['0 events added', '1 event added'])
    expect([fr.sync.created(0), fr.sync.created(2)]).toEqual([
      '0\u00a0évènement ajouté',
      '2\u00a0évènements ajoutés',
    ])
  })
})
