// What did not change stays the very same object, so that only what did is drawn again.

/** `after`, in which every part that says what it said before is the part from `before`. For plain data. */
export function kept<T>(before: unknown, after: T): T {
  if (Object.is(before, after)) return after
  if (Array.isArray(before) && Array.isArray(after)) return keptList(before, after) as T
  if (isRecord(before) && isRecord(after)) return keptRecord(before, after) as T
  return after
}

function keptRecord(before: Record<string, unknown>, after: Record<string, unknown>) {
  const names = Object.keys(after)
  const next: Record<string, unknown> = {}
  let same = names.length === Object.keys(before).length
  for (const name of names) {
    next[name] = kept(before[name], after[name])
    same = same && name in before && Object.is(next[name], before[name])
  }
  return same ? before : next
}

/** Where something came in or went out, what follows is looked for so much further along. */
function keptList(before: unknown[], after: unknown[]) {
  const shift = before.length - after.length
  let along = 0
  const next = after.map((value, index) => {
    const one = kept(before[index + along], value)
    if (shift === 0 || along !== 0 || Object.is(one, before[index])) return one
    along = shift
    return kept(before[index + along], value)
  })
  return shift === 0 && next.every((value, index) => Object.is(value, before[index])) ? before : next
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
