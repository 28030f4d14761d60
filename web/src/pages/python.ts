/** Values as Python writes them, and the call that creates a job. */

/** JSON → Python: `{"a": null}` → `{"a": None}`. */
export function literal(value: unknown, indent = ""): string {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value === "string") return textOf(value);
  const inner = `${indent}    `;
  if (Array.isArray(value))
    return wrapped(
      "[",
      value.map((one) => literal(one, inner)),
      "]",
      indent,
    );
  const members = Object.entries(value).map(([name, one]) => `${textOf(name)}: ${literal(one, inner)}`);
  return wrapped("{", members, "}", indent);
}

const WIDTH = 88;

function wrapped(open: string, parts: readonly string[], close: string, indent: string): string {
  const line = open + parts.join(", ") + close;
  if (line.length + indent.length <= WIDTH && !line.includes("\n")) return line;
  return `${open}\n${parts.map((part) => `${indent}    ${part},\n`).join("")}${indent}${close}`;
}

/** JSON's escapes are Python's as well, but that half of a character beyond 16 bits has no place in a text. */
const textOf = (text: string) =>
  JSON.stringify(text).replace(/[\u007f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, escaped);
const escaped = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;

const NAME = /^[A-Za-z_]\w*$/;
const KEYWORDS = new Set(
  "False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield".split(
    " ",
  ),
);

const isName = (name: string) => NAME.test(name) && !KEYWORDS.has(name);
const variable = (name: string) => (isName(name.replaceAll("-", "_")) ? name.replaceAll("-", "_") : "flow");

/** `await shop.create_job(Order(customer=7))`, with what else is given by name. */
export function createJob(
  flow: string,
  model: string,
  params: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, string>> = {},
): string {
  const names = Object.keys(params);
  const given = names.every(isName)
    ? wrapped(
        "(",
        names.map((name) => `${name}=${literal(params[name], "        ")}`),
        ")",
        "    ",
      )
    : `(**${literal(params, "    ")})`;
  const job = `${isName(model) ? model : "Params"}${given}`;
  const options = Object.entries(more).map(([name, value]) => `${name}=${value}`);
  return `await ${variable(flow)}.create_job${wrapped("(", [job, ...options], ")", "")}`;
}
