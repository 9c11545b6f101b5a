// What did not change stays the very same object, so that only what did is drawn again.

/** `after`, in which every part that says what it said before is the part from `before`. For plain data. */
export function kept<T>(before: unknown, after: T): T {
  if (Object.is(before, after)) return after
  if (Array.isArray(before) && Array.isArray(after)) return keptList(before, after) as T
  if (isRecord(before) && isRecord(after)) return keptRecord(before, after) as T
  return after
}

/** Where nothing is new, which is nearly everywhere, nothing is made either. */
function keptRecord(before: Record<string, unknown>, after: Record<string, unknown>) {
  const names = Object.keys(after)
  let next: Record<string, unknown> | null = names.length === Object.keys(before).length ? null : {}
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at]!
    const one = kept(before[name], after[name])
    if (!next && !(name in before && Object.is(one, before[name]))) {
      next = {}
      for (const earlier of names.slice(0, at)) next[earlier] = before[earlier]
    }
    if (next) next[name] = one
  }
  return next ?? before
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
