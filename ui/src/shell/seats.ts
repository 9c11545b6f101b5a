// What the menu of vendors needs to know, and no element has.

/** Two letters for where a name has no room. */
export function initials(name: string): string {
  const parts = name.split(/[\s-]+/u).filter((part) => /^[\p{L}\p{N}]/u.test(part))
  const [first, last] = [parts[0], parts.length > 1 ? parts[parts.length - 1] : undefined]
  return [first, last].map((part) => (part ? [...part][0] : '')).join('').toLocaleUpperCase()
}

/** Which of `count` items a key leads to from the one at `index`; nothing for other keys. */
export function after(key: string, index: number, count: number): number | null {
  if (count === 0) return null
  switch (key) {
    case 'ArrowDown':
      return (index + 1) % count
    case 'ArrowUp':
      return (index - 1 + count) % count
    case 'Home':
      return 0
    case 'End':
      return count - 1
    default:
      return null
  }
}
