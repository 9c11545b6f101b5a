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

/** A name or a sentence: it begins with a capital, or holds several words. */
const isShown = (literal: string) => isWord(literal) && /^\p{Lu}\p{Ll}|\p{L} \p{L}/u.test(literal.trim())

/** Every literal in code that may be shown: not what is compared, imported, typed or looked for. */
function written(code: unknown): string[] {
  const found: string[] = []
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(walk)
    if (node === null || typeof node !== 'object' || !('type' in node)) return
    const { type } = node as { type: string }
    if (/^(ImportDeclaration|TSType\w*|TSInterface\w*|BinaryExpression)$/.test(type)) return
    if ('callee' in node && /\b(querySelector\w*|closest|matches|matchMedia)$/.test(nameOf(node.callee))) return
    if (type === 'Literal' && 'value' in node && typeof node.value === 'string' && isShown(node.value)) found.push(node.value)
    if (type === 'TemplateElement' && 'value' in node) {
      const { raw } = node.value as { raw: string }
      if (isShown(raw)) found.push(raw.trim())
    }
    Object.values(node).forEach(walk)
  }
  walk(code)
  return found
}

/** The last name of what is called. */
function nameOf(callee: unknown): string {
  const { name, property } = callee as { name?: string; property?: { name?: string } }
  return name ?? property?.name ?? ''
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
      else found.push(...written(expression))
      return
    }
    Object.values(node).forEach(walk)
  }
  const { fragment, instance, module } = parse(source, { modern: true })
  walk(fragment)
  return [...found, ...written(instance?.content), ...written(module?.content)]
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
    expect(spoken("<script>const day = [[9, 'booking', 'Haircut']]; const more = 'and so on'</script>{day}")).toEqual(['Haircut', 'and so on'])
    expect(spoken("{late ? 'Too late' : `In time ${when}`}{key === 'Escape' ? day : week}")).toEqual(['Too late', 'In time'])
    expect(spoken('<p class="quiet" id="x">{words.saved} · 12 <code>companion sync</code></p>')).toEqual([])
  })
})

/** `a.b.c` for every phrase. */
function paths(table: object, above: string[] = []): string[] {
  return Object.entries(table).flatMap(([key, value]) => {
    const here = [...above, key]
    return typeof value === 'object' ? paths(value, here) : [here.join('.')]
  })
}

const TAKEN = String.raw`(?:\$derived\()?(?:(\w+)\.)?(\w+)((?:\.\w+)*)\)?`

/** What a file says of the table: whole paths, and `path.*` of what only the running app picks from. */
function saidIn(text: string): Set<string> {
  /** Which tables a name stands for here; one name may be given in two places. */
  const tables = new Map<string, string[]>([['words', ['']]])
  const under = (base: string, rest: string) => [base, ...rest.split('.')].filter(Boolean).join('.')
  const taken = (owner: string | undefined, name: string, rest: string): string[] => {
    if (owner) return name === 'words' ? [under('', rest)] : (tables.get(owner) ?? []).map((base) => under(base, `${name}${rest}`))
    return (tables.get(name) ?? []).map((base) => under(base, rest))
  }
  const found = new Set<string>()
  const give = (name: string, found: string[]) => tables.set(name, [...(tables.get(name) ?? []), ...found])
  for (const [, name, picked] of text.matchAll(/(\w+): Messages((?:\['\w+'\])+)/g)) give(name!, [picked!.replace(/\['(\w+)'\]/g, '.$1').slice(1)])
  for (const [, name, owner, from, rest] of text.matchAll(new RegExp(`const (\\w+) = ${TAKEN}$`, 'gm'))) {
    if (name !== 'words' || rest) give(name!, taken(owner, from!, rest!))
  }
  for (const [, names, owner, from, rest] of text.matchAll(new RegExp(`const \\{([^}]*)\\} = ${TAKEN}`, 'g'))) {
    for (const part of names!.split(',')) {
      const [key, name = key] = part.split(':').map((piece) => piece.trim())
      if (!key || key === 'words') continue
      const picked = taken(owner, from!, rest!).map((base) => under(base, key))
      give(name!, picked)
      for (const path of picked) found.add(path)
    }
  }
  for (const [name, bases] of tables) {
    for (const [whole, rest] of text.matchAll(new RegExp(`(?<![\\w-])${name}((?:\\??\\.\\w+)*)(?:\\?\\.)?\\[?`, 'g'))) {
      const end = whole.endsWith('[') ? '.*' : ''
      if (rest || end) for (const base of bases) found.add(under(base, rest!.replaceAll('?', '')) + end)
    }
  }
  return found
}

/** The phrases that none of the files says. */
function unsaid(phrases: string[], files: string[]): string[] {
  const said = new Set(files.flatMap((text) => [...saidIn(text)]))
  return phrases.filter((path) => {
    const keys = path.split('.')
    const above = keys.map((_, index) => keys.slice(0, index + 1).join('.')).slice(0, -1)
    return !said.has(path) && !above.some((table) => said.has(`${table}.*`))
  })
}

describe('every phrase', () => {
  it('is said somewhere', () => {
    expect(unsaid(paths(en), code)).toEqual([])
  })

  it('would be missed, whatever else ends like it', () => {
    const phrases = ['a.name', 'b.name', 'c.x', 'c.y']
    expect(unsaid(phrases, ['words.a.name(1)'])).toEqual(['b.name', 'c.x', 'c.y'])
    expect(unsaid(phrases, ['const words = $derived(language.words.b)\nwords.name'])).toEqual(['a.name', 'c.x', 'c.y'])
    expect(unsaid(phrases, ['const { a: one, c } = words\none.name + c[key]'])).toEqual(['b.name'])
  })
})
