// Puts a text where she can paste it from. Where a page may not write there by itself, it is selected and copied as she
// would do it.

export async function copied(text: string, shown: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const selection = getSelection()
    const before = shown.style.userSelect
    shown.style.userSelect = 'text'
    selection?.selectAllChildren(shown)
    const done = document.execCommand('copy')
    selection?.removeAllRanges()
    shown.style.userSelect = before
    return done
  }
}
