// Where the focus goes when what it stood on goes away.

import type { Attachment } from 'svelte/attachments'

/** Something that goes away with its own buttons: whoever stood on one of them stands on `next` then, and not nowhere. */
export function handsOn(next: () => HTMLElement | undefined): Attachment<HTMLElement> {
  return (node) => {
    let inside = false
    const heed = (event: FocusEvent) => (inside = node.contains(event.target as Node))
    document.addEventListener('focusin', heed)
    return () => {
      document.removeEventListener('focusin', heed)
      if (inside && document.activeElement === document.body) next()?.focus()
    }
  }
}
