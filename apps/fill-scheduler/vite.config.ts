import { defineConfig } from 'vite'

/** Bundles the planner's page to static files that the server keeps in memory. */
export default defineConfig({
  root: 'src/web',
  base: '/',
  publicDir: false,
  resolve: { conditions: ['@holdfast/source', 'browser', 'import', 'default'] },
  build: {
    outDir: '../../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      // `use client` is for frameworks that render on a server.
      onLog: (level, log, handle) => log.code === 'MODULE_LEVEL_DIRECTIVE' || handle(level, log),
    },
  },
})
