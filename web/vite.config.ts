/** Builds the dashboard into the Python package: the same bytes from the same sources, under any prefix. */
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [react()],
  base: "./",
  resolve: {
    alias: { "@typed-flows/react": here("../clients/react/src/index.ts") },
    dedupe: ["react", "react-dom"],
  },
  build: {
    outDir: here("../flows/server/static"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the policy of the server lets no font come from a data: URL
    rolldownOptions: {
      output: {
        // React changes rarely: its chunk keeps its name, and browsers keep it, when a page changes.
        codeSplitting: {
          groups: [
            { name: "vendor", test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/ },
            // What every page needs packs better as one.
            {
              name: "frame",
              test: /clients[\\/]react[\\/]src|web[\\/]src[\\/](?:\w+\.tsx?$|frame|keys|parts|text[\\/]en[\\/](?:frame|keys|parts|states))/,
            },
          ],
        },
      },
    },
  },
});
