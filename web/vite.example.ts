/** Builds the page that `examples/import_site.py --serve` shows, with the same tools as the dashboard. */
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("../examples/import_site_page"),
  plugins: [react()],
  base: "./",
  resolve: {
    alias: [
      { find: "@typed-flows/react/theme.css", replacement: here("../clients/react/src/theme.css") },
      { find: "@typed-flows/react", replacement: here("../clients/react/src/index.ts") },
      { find: /^(react|react-dom)(\/.*)?$/, replacement: here("node_modules/$1$2") },
    ],
  },
  build: {
    outDir: here("../examples/import_site_page/dist"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { entryFileNames: "assets/[name].js", assetFileNames: "assets/[name][extname]" } },
  },
});
