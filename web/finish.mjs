/**
 * Writes beside the built files what belongs to them: the licences of what is in them, and the digest of their sources,
 * by which tests/server/test_build.py notices a stale build without Node.js.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const out = process.argv[2] ?? `${root}flows/server/static`;
const { dependencies } = JSON.parse(readFileSync(`${root}web/package.json`, "utf8"));
const fonts = ["@fontsource-variable/inter", "@fontsource-variable/jetbrains-mono"];
const parts = [...Object.keys(dependencies), "scheduler", ...fonts];

function licence(name) {
  const folder = `${root}web/node_modules/${name}`;
  const { version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  return `${name} ${version}\n\n${readFileSync(`${folder}/LICENSE`, "utf8").trim()}\n`;
}

/** All files at or below a path, by their names from the root of the repository. */
function files(name) {
  if (!statSync(root + name).isDirectory()) return [name];
  return readdirSync(root + name)
    .filter((entry) => !entry.startsWith("."))
    .flatMap((entry) => files(`${name}/${entry}`));
}

function digest() {
  const all = createHash("sha256");
  const sources = readFileSync(`${root}web/built-from.txt`, "utf8").trim().split("\n").flatMap(files);
  for (const name of sources.sort()) {
    const content = createHash("sha256").update(readFileSync(root + name)).digest("hex");
    all.update(`${content}  ${name}\n`);
  }
  return all.digest("hex");
}

writeFileSync(`${out}/LICENSES.txt`, parts.map(licence).join(`\n${"-".repeat(80)}\n\n`));
writeFileSync(`${out}/BUILD`, `${digest()}\n`);
