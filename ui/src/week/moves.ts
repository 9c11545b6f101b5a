// Where an arrow key leads from one event of the week to the next. Pure.

/** One event that can have the focus. */
export interface Cell {
  key: string
  day: number
  from: number
}

/** The cell that `key` leads to, or none where the week ends or the key means nothing here. */
export function neighbour(cells: Cell[], current: string, key: string): Cell | null {
  const here = cells.find((cell) => cell.key === current)
  if (!here) return null
  const sameDay = cells.filter((cell) => cell.day === here.day)
  const at = sameDay.indexOf(here)
  switch (key) {
    case 'ArrowDown':
      return sameDay[at + 1] ?? null
    case 'ArrowUp':
      return sameDay[at - 1] ?? null
    case 'ArrowRight':
      return nearest(cells, here, 1)
    case 'ArrowLeft':
      return nearest(cells, here, -1)
    case 'Home':
      return sameDay[0] ?? null
    case 'End':
      return sameDay.at(-1) ?? null
    default:
      return null
  }
}

/** In the next day that has anything, what stands closest to the same hour. */
function nearest(cells: Cell[], here: Cell, step: 1 | -1): Cell | null {
  const ahead = cells.filter((cell) => (cell.day - here.day) * step > 0)
  const day = step > 0 ? Math.min(...ahead.map((cell) => cell.day)) : Math.max(...ahead.map((cell) => cell.day))
  const there = ahead.filter((cell) => cell.day === day)
  return there.reduce<Cell | null>(
    (best, cell) => (!best || Math.abs(cell.from - here.from) < Math.abs(best.from - here.from) ? cell : best),
    null,
  )
}
