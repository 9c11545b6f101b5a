// A message as lines that can be read: its own words with line breaks between them, and which of the lines say when.

export interface Line {
  text: string
  /** It is a time that Bookiji was told. */
  time: boolean
}

/** Lines beyond this are of no use to anybody's eyes. */
const MOST_LINES = 2000

const TIME = /^\s*"(start|end|new_?start|new_?end|start_time|end_time|newSlotStart|newSlotEnd)":/

export function lines(body: string): Line[] {
  let text = body
  try {
    text = JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    // Whatever it is, it is shown as it was sent.
  }
  return text
    .split('\n')
    .slice(0, MOST_LINES)
    .map((line) => ({ text: line, time: TIME.test(line) }))
}

/** 0.6 KB, in her notation. */
export function size(bytes: number, locale: string): string {
  const kilobytes = new Intl.NumberFormat(locale, { style: 'unit', unit: 'kilobyte', maximumFractionDigits: 1, minimumFractionDigits: 1 })
  return kilobytes.format(Math.max(bytes / 1000, bytes > 0 ? 0.1 : 0))
}
