// One page with every picture on it, to be looked through by a person.

/** `shots` in the order to show them in; `changed` maps names to why they differ from what was kept. */
export function sheet(shots, changed) {
  const groups = new Map()
  for (const shot of shots) {
    const title = `${shot.state} · ${shot.page}`
    groups.set(title, [...(groups.get(title) ?? []), shot])
  }
  const figure = ({ name, scheme, locale, width, height }) => {
    const why = changed.get(name)
    const difference = why?.where ? `<a href="${name}-changed.png">where</a>` : ''
    const said = why ? `<strong>${why.why} ${difference}</strong>` : ''
    return `<figure><a href="${name}.png"><img loading="lazy" src="${name}.png" alt=""></a>
      <figcaption>${scheme}, ${locale}, ${width} × ${height} ${said}</figcaption></figure>`
  }
  const section = ([title, group]) => `<section><h2>${title}</h2>${group.map(figure).join('\n')}</section>`
  return `<!doctype html>
<meta charset="utf-8">
<title>Bookiji Companion: every page and state</title>
<style>
  body { font: 14px/1.4 system-ui; margin: 24px; background: #f4f4f6; color: #1b1b22; }
  h2 { font-size: 16px; margin: 32px 0 8px; }
  section { display: grid; grid-template-columns: repeat(auto-fill, minmax(360px, 1fr)); gap: 16px; }
  h2 { grid-column: 1 / -1; }
  figure { margin: 0; }
  img { width: 100%; border: 1px solid #d5d5de; border-radius: 6px; }
  strong { color: #b3261e; }
</style>
${[...groups].map(section).join('\n')}
`
}
