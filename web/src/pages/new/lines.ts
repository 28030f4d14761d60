/** Many jobs, a line each: JSON objects, or rows of a sheet with the names above. */
import { readJson } from "../../exact";
import type { Field, Json } from "./schema";

export interface Given {
  /** The number of the line in the text, from 1 on. */
  line: number;
  params: { [name: string]: Json } | null;
  /** Why it cannot be read. */
  wrong: string | null;
}

export function jobsOf(text: string, fields: readonly Field[], noObject: string): Given[] {
  const lines = text.split("\n").map((line, n) => ({ line: n + 1, text: line.replace(/\r$/, "") }));
  const full = lines.filter((one) => one.text.trim());
  if (full.length === 0) return [];
  if (full[0]!.text.trimStart().startsWith("{")) return full.map((one) => ofJson(one.line, one.text, noObject));
  const [head, ...rows] = full;
  const mark = head!.text.includes("\t") ? "\t" : head!.text.includes(";") ? ";" : ",";
  const names = cellsOf(head!.text, mark);
  const known = new Map(fields.map((field) => [field.name, field]));
  return rows.map(({ line, text }) => {
    const cells = cellsOf(text, mark);
    const pairs = names.flatMap((name, n) => {
      const cell = cells[n] ?? "";
      return cell === "" ? [] : [[name, ofCell(cell, known.get(name))] as const];
    });
    return { line, params: Object.fromEntries(pairs), wrong: null };
  });
}

function ofJson(line: number, text: string, noObject: string): Given {
  try {
    const found = readJson(text.trim().replace(/,$/, "")) as Json;
    if (found !== null && typeof found === "object" && !Array.isArray(found))
      return { line, params: found, wrong: null };
    return { line, params: null, wrong: noObject };
  } catch (error) {
    return { line, params: null, wrong: (error as Error).message };
  }
}

/** Cells of a line: one in quotation marks may have the mark in it, and two of them for one. */
export function cellsOf(line: string, mark: string): string[] {
  const cells: string[] = [];
  let cell = "";
  let inside = false;
  for (let n = 0; n < line.length; n++) {
    const sign = line[n]!;
    if (inside && sign === '"' && line[n + 1] === '"') [cell, n] = [`${cell}"`, n + 1];
    else if (sign === '"') inside = !inside;
    else if (sign === mark && !inside) [cell] = ["", cells.push(cell.trim())];
    else cell += sign;
  }
  return [...cells, cell.trim()];
}

function ofCell(cell: string, field: Field | undefined): Json {
  if (field?.kind === "text" || field?.kind === "long") return cell;
  try {
    return readJson(cell) as Json;
  } catch {
    return cell;
  }
}
