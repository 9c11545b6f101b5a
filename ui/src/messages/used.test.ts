import { parse, type AST } from 'svelte/compiler'
import { describe, expect, it } from 'vitest'
import { en } from './en'

/** What is read aloud or shown, other than text between tags. */
const READ = new Set([
  ...['alt', 'title', 'placeholder', 'label'],
  ...['aria-label', 'aria-description', 'aria-roledescription', 'aria-valuetext'],
])
/** A brand is written alike in every language. */
const BRANDS = new Set(['Bookiji', 'Companion', 'Bookiji Companion'])

const sources = Object.entries(
  import.meta.glob<string>('../**/*.{svelte,ts}', { query: '?raw', import: 'default', eager: true }),
)
const components = sources.filter(([file]) => file.endsWith('.svelte'))
const code = sources.filter(([file]) => !/\.test\.ts$|^\.\/|generated/.test(file)).map(([, text]) => text)

function isWord(literal: string): boolean {
  return /\p{L}{2,}/u.test(literal) && !BRANDS.has(literal.trim())
}

/** What an attribute's value says by itself, whatever is reckoned around it. */
function literals(value: AST.Attribute['value']): string[] {
  const parts = Array.isArray(value) ? value : value === true ? [] : [value]
  return parts.flatMap((part) => {
    if (part.type === 'Text') return [part.data]
    const { expression } = part
    if (expression.type === 'Literal') return [String(expression.value)]
    return expression.type === 'TemplateLiteral' ? expression.quasis.map((quasi) => quasi.value.raw) : []
  })
}

/** Every literal of a component that somebody would read or hear. */
function spoken(source: string): string[] {
  const found: string[] = []
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(walk)
    if (node === null || typeof node !== 'object' || !('type' in node)) return
    const { type } = node
    // A command is typed alike in every language.
    if (type === 'StyleDirective' || ('name' in node && (node.name === 'code' || node.name === 'pre'))) return
    if (type === 'Attribute') {
      const attribute = node as AST.Attribute
      if (READ.has(attribute.name)) found.push(...literals(attribute.value).filter(isWord))
      return
    }
    if (type === 'Text') {
      const { data } = node as AST.Text
      if (isWord(data)) found.push(data.trim())
    }
    if (type === 'ExpressionTag') {
      const { expression } = node as AST.ExpressionTag
      if (expression.type === 'Literal' && isWord(String(expression.value))) found.push(String(expression.value))
    }
    Object.values(node).forEach(walk)
  }
  walk(parse(source, { modern: true }).fragment)
  return found
}

describe('a component', () => {
  it('says nothing that no language knows', () => {
    const said = components.flatMap(([file, text]) => spoken(text).map((words) => `${file}: ${words}`))
    expect(said).toEqual([])
  })

  it('would be caught saying it', () => {
    expect(spoken('<p>Saved <b>at last</b></p>')).toEqual(['Saved', 'at last'])
    expect(spoken('<button aria-label="Close it" title={`Close ${name}`}>×</button>')).toEqual(['Close it', 'Close '])
    expect(spoken('{#if late}{"too late"}{/if}<img alt="" src="mark.svg">')).toEqual(['too late'])
    expect(spoken('<p class="quiet" id="x">{words.saved} · 12 <code>companion sync</code></p>')).toEqual([])
  })
})

/** `a.b.c` for every phrase. */
function paths(table: object, above: string[] = []): string[][] {
  return Object.entries(table).flatMap(([key, value]) => {
    const here = [...above, key]
    return typeof value === 'object' ? paths(value, here) : [here]
  })
}

it('every phrase is said somewhere', () => {
  const all = code.join('\n')
  const escaped = (key: string) => key.replace(/[^\p{L}\d_]/gu, '\\$&')
  /** By its name, or out of a table by a value that only the running app has. */
  const said = (path: string[]) =>
    new RegExp(`[.{,]\\s*${escaped(path.at(-1)!)}\\b`).test(all) ||
    path.slice(0, -1).some((key) => new RegExp(`\\.${escaped(key)}(\\?\\.)?\\[`).test(all))
  expect(paths(en).filter((path) => !said(path)).map((path) => path.join('.'))).toEqual([])
})
