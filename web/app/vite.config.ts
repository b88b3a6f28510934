import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";

/** Where `npm run page` finds a running Parley. */
const server = "http://127.0.0.1:4000";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "/",
  publicDir: false,
  build: {
    target: "es2022",
    emptyOutDir: true,
    // The strict content security policy allows no script inside the page.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // In kB before compression; what is sent has a budget in test/http/page.test.ts.
    chunkSizeWarningLimit: 600,
  },
  server: {
    proxy: {
      // The server takes WebSockets of its own origin only.
      "/graphql": { target: server, changeOrigin: true, ws: true, headers: { origin: server } },
      "/export": { target: server, changeOrigin: true },
      "/audio": { target: server, changeOrigin: true },
    },
  },
});
