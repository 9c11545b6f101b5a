// The window with invented data, built once and served. A development server would have every new page load some hundred
// modules, which takes longer than all that is done with it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, preview } from 'vite'

/** Where it is served, and what ends that. Its mode is not production's, where there is no invented data. */
export async function pages() {
  const outDir = mkdtempSync(join(tmpdir(), 'companion-pages-'))
  await build({ mode: 'pictures', logLevel: 'error', build: { outDir, emptyOutDir: true } })
  const server = await preview({
    logLevel: 'error',
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0, strictPort: false },
  })
  const close = async () => {
    await server.close()
    rmSync(outDir, { recursive: true, force: true })
  }
  return { address: `http://127.0.0.1:${server.httpServer.address().port}`, close }
}
