// Measures in the page: script from the change to the last of what it leads to, and layout after it.
const [times] = arguments
const events = () => document.querySelectorAll('.sheet [data-key]').length
const frame = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)))
const turn = (key) => dispatchEvent(new KeyboardEvent('keydown', { key }))

/** All that a change leads to is done in microtasks, one after the other. */
async function flushed() {
  for (let step = 0; step < 100; step += 1) await null
}

async function timed(change) {
  await frame()
  const began = performance.now()
  change()
  await flushed()
  const scripted = performance.now()
  document.body.getBoundingClientRect()
  document.querySelector('.sheet').scrollHeight
  const laidOut = performance.now()
  await frame()
  return { script: scripted - began, layout: laidOut - scripted, painted: performance.now() - began }
}

async function measure() {
  const all = events()
  const redrawn = []
  const moved = []
  for (let run = 0; run < times; run += 1) {
    await timed(() => turn('PageDown'))
    if (events() !== 0) throw new Error(`the next week shows ${events()} events`)
    const back = await timed(() => turn('PageUp'))
    if (events() !== all) throw new Error(`${events()} events came back, of ${all}`)
    redrawn.push(back)
  }
  for (let run = 0; run < times; run += 1) {
    const before = document.querySelector('[data-key="p0"]').parentElement.style.top
    const move = await timed(() => dispatchEvent(new Event('moved')))
    if (document.querySelector('[data-key="p0"]').parentElement.style.top === before) throw new Error('nothing moved')
    if (events() !== all) throw new Error(`${events()} events are left, of ${all}`)
    moved.push(move)
  }
  return { events: all, redrawn, moved }
}

// Whoever drives the page asks for it when it is there.
measure().then(
  (ok) => (window.measured = { ok }),
  (error) => (window.measured = { error: String(error) }),
)
