// What she does in the window and what comes of it, in a browser with invented data: `npm run flows`. Needs a Chromium
// (CHROMIUM, or /usr/bin/chromium).
import './files.mjs'
import './signing_in.mjs'
import './connecting.mjs'
import './decisions.mjs'
import './telling.mjs'
