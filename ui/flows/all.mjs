// What she does in the window and what comes of it, in a browser with invented data: `npm run flows`. Needs a Chromium
// (see ../screens/browser.mjs).
import './files.mjs'
import './signing_in.mjs'
import './connecting.mjs'
import './decisions.mjs'
import './telling.mjs'
