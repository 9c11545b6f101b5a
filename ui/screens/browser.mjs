// The browser that pictures and flows are taken with: CHROMIUM, or what the system has. Debian's headless shell comes
// first: the whole browser opens a window of its own for every page, seen or not.
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

const KNOWN = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium']

/** Draws text the same in either of them. */
export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? KNOWN.find((path) => existsSync(path)),
    args: ['--no-sandbox', '--force-color-profile=srgb', '--font-render-hinting=none'],
  })
