import type { ReactNode } from "react";
import { writeJson } from "../exact";
import * as text from "../text";

const LONGEST = 20_000;
const WORD = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** A value as JSON, in colours that repeat what the signs say. What is very long is shown in part, and says so. */
export function Json({ value, lines = true }: { value: unknown; lines?: boolean }) {
  const whole = writeJson(value, lines ? 2 : undefined);
  const shown = whole.length > LONGEST ? whole.slice(0, LONGEST) : whole;
  const parts: ReactNode[] = [];
  let last = 0;
  for (const found of shown.matchAll(WORD)) {
    parts.push(shown.slice(last, found.index));
    const kind = found[2] ? "kk" : found[1] ? "s" : "nn";
    parts.push(
      <span key={found.index} className={kind}>
        {found[1] ?? found[0]}
      </span>,
      found[2],
    );
    last = found.index + found[0].length;
  }
  parts.push(shown.slice(last));
  return (
    <bdi className={lines ? "code" : "val"}>
      {parts}
      {shown.length < whole.length && <span className="c">{text.parts.cutOff(whole.length - shown.length)}</span>}
    </bdi>
  );
}
