import { defineConfig } from 'vite'

/** Bundles the demo page from the packages' sources to static files that the server keeps in memory. */
export default defineConfig({
  root: 'src/demo/page',
  base: '/',
  publicDir: false,
  resolve: { conditions: ['@holdfast/source', 'browser', 'import', 'default'] },
  build: {
    outDir: '../../../dist/demo/page',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
})
