/** What a page pays for the package, packed; React itself is not in it. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

// As users build it: what React adds for tests is not in it.
beforeEach(() => void vi.stubEnv("NODE_ENV", "production"));
afterEach(() => void vi.unstubAllEnvs());

const source = fileURLToPath(new URL("../src/index.ts", import.meta.url));

/** Returns the bytes of a page's script that imports these names. */
async function packed(what: string): Promise<number> {
  const entry = join(mkdtempSync(join(tmpdir(), "size-")), "page.ts");
  writeFileSync(entry, `export ${what} from ${JSON.stringify(source)};\n`);
  const built = await build({
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: true,
      modulePreload: false,
      // As a page, and not as a library: of that, spaces and comments would be counted.
      rolldownOptions: {
        input: entry,
        external: ["react", "react/jsx-runtime"],
        preserveEntrySignatures: "strict",
      },
    },
  });
  const [output] = Array.isArray(built) ? built : [built];
  if (output === undefined || !("output" in output)) throw new Error("nothing was built");
  return gzipSync(output.output[0].code).length;
}

it("is small, and of a page that uses little smaller", async () => {
  const [all, core, topics, jobs] = await Promise.all([
    packed("*"),
    packed("{ FlowsProvider, useWorkflow }"),
    packed("{ FlowsProvider, useTopic }"),
    packed("{ FlowsProvider, Jobify }"),
  ]);
  console.info(
    `gzipped: ${all} bytes of all, ${core} with useWorkflow alone, ${topics} with useTopic, ${jobs} with Jobify`,
  );
  expect(core).toBeLessThanOrEqual(3 * 1024);
  expect(topics).toBeLessThanOrEqual(3_500);
  expect(jobs).toBeLessThanOrEqual(5_000);
  expect(all).toBeLessThanOrEqual(12 * 1024);
}, 60_000);
