import { defineConfig } from 'vite'

/** Bundles the progress element with all that it needs to one module, for pages without a build. */
export default defineConfig({
  resolve: { conditions: ['@holdfast/source', 'browser', 'import', 'default'] },
  build: {
    outDir: 'dist',
    // The compiled package is in there, too.
    emptyOutDir: false,
    target: 'es2022',
    reportCompressedSize: false,
    modulePreload: false,
    rolldownOptions: {
      input: 'src/progress/element.ts',
      preserveEntrySignatures: 'strict',
      output: { format: 'es', entryFileNames: 'progress.bundle.js' },
    },
  },
})
