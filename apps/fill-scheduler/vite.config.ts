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
  },
})
