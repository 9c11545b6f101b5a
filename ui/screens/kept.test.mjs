import { PNG } from 'pngjs'
import { expect, it } from 'vitest'
import { changed } from './kept.mjs'

const [WIDTH, HEIGHT] = [900, 600]

/** A white sheet with some pixels black. */
function sheet(isBlack = () => false) {
  const png = new PNG({ width: WIDTH, height: HEIGHT })
  for (let pixel = 0; pixel < WIDTH * HEIGHT; pixel += 1) {
    const value = isBlack(pixel % WIDTH, Math.floor(pixel / WIDTH)) ? 0 : 255
    png.data.set([value, value, value, 255], pixel * 4)
  }
  return png
}

it('a picture is like itself', () => {
  expect(changed(sheet(), sheet())).toBeNull()
})

it('a button that is gone is seen, however small its share', () => {
  const button = (x, y) => x >= 700 && x < 820 && y >= 20 && y < 56
  const edge = (x, y) => button(x, y) && !(x >= 702 && x < 818 && y >= 22 && y < 54)
  const word = (x, y) => x >= 730 && x < 800 && y >= 32 && y < 44 && x % 6 < 2
  expect(changed(sheet(), sheet((x, y) => edge(x, y) || word(x, y)))).toMatch(/pixels changed around 7\d\d, /)
})

it('what is spread thin is another browser’s hand', () => {
  expect(changed(sheet(), sheet((x, y) => x % 24 < 1 && y % 20 < 1))).toBeNull()
  expect(changed(sheet(), sheet((x, y) => x % 12 < 1 && y % 10 < 1))).toMatch(/% of it changed/)
})
