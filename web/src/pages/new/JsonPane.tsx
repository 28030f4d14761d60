/** The params as JSON beside the form: each fault at its line, and to be written there as well. */
import { useEffect, useRef, useState } from "react";
import { readJson } from "../../exact";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { copy } from "../../parts/copy";
import { useToast } from "../../parts/Toast";
import * as text from "../../text";
import { linesOf, within, writtenOf } from "./places";
import { focusOn, type Form, type Params } from "./useForm";

const said = text.newJob;
const MARKS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** So many lines are drawn; a text of more is for an editor. */
const MOST = 400;

export function JsonPane({ form }: { form: Form }) {
  const [writing, setWriting] = useState<string | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const own = useRef(form.value);
  const toast = useToast();
  const { value: now, setUnread } = form;
  const tell = (why: string | null) => {
    setWrong(why);
    setUnread(why);
  };
  // The form was written in meanwhile: that counts.
  useEffect(() => {
    if (own.current === now) return;
    own.current = now;
    setWriting((before) => (before === null ? null : writtenOf(now)));
    setWrong(null);
    setUnread(null);
  }, [now, setUnread]);
  useEffect(() => () => setUnread(null), [setUnread]);
  const edit = (value: string) => {
    setWriting(value);
    try {
      const found = readJson(value);
      if (typeof found !== "object" || found === null || Array.isArray(found)) throw new Error(said.noObject);
      own.current = found as Params;
      form.setAll(own.current);
      tell(null);
    } catch (error) {
      tell(said.noJson((error as Error).message));
    }
  };
  const close = () => {
    setWriting(null);
    tell(null);
  };
  return (
    <Card
      title={said.json}
      more={
        <>
          <span>{said.bothWays}</span>
          {writing === null ? (
            <Button look="small" icon="edit" onPress={() => setWriting(writtenOf(form.value))}>
              {said.edit}
            </Button>
          ) : (
            <Button look="small" onPress={close}>
              {wrong === null ? said.done : said.discard}
            </Button>
          )}
          <Button
            look="small"
            icon="copy"
            onPress={() => void copy(writtenOf(form.value)).then((ok) => toast(ok ? said.copied : said.notCopied))}
          >
            {said.copy}
          </Button>
        </>
      }
    >
      {writing === null ? (
        <Lines form={form} />
      ) : (
        <div className="pad field">
          <textarea
            className={wrong ? "inp bad" : "inp"}
            aria-label={said.json}
            data-place="[]"
            aria-invalid={wrong !== null}
            rows={Math.min(30, Math.max(8, writing.split("\n").length + 1))}
            spellCheck={false}
            autoFocus
            value={writing}
            onChange={({ target }) => edit(target.value)}
          />
          {wrong && <span className="fault">{wrong}</span>}
        </div>
      )}
    </Card>
  );
}

function Lines({ form }: { form: Form }) {
  const lines = linesOf(form.value);
  return (
    <pre className="code nums json-of" tabIndex={0} aria-label={said.json}>
      {lines.slice(0, MOST).map((line, n) => {
        const hit = line.place.length > 0 ? form.told.find((fault) => isAt(fault.place, line.place, lines)) : undefined;
        return (
          <span
            key={n}
            className={hit ? "hit" : ""}
            title={hit?.message}
            onClick={hit ? () => focusOn(hit.place) : undefined}
          >
            <bdi>{coloured(line.text)}</bdi>
          </span>
        );
      })}
      {lines.length > MOST && <span>{text.parts.cutOff(lines.length - MOST)}</span>}
    </pre>
  );
}

/** Whether a fault belongs to a line: it is of its place, or of something within that has no line of its own. */
function isAt(
  fault: readonly (string | number)[],
  place: readonly (string | number)[],
  lines: ReturnType<typeof linesOf>,
) {
  if (!within(fault, place)) return false;
  return !lines.some((other) => other.place.length > place.length && within(fault, other.place));
}

function coloured(line: string) {
  const parts = [];
  let last = 0;
  for (const found of line.matchAll(MARKS)) {
    parts.push(line.slice(last, found.index));
    parts.push(
      <span key={found.index} className={found[2] ? "kk" : found[1] ? "s" : "nn"}>
        {found[1] ?? found[0]}
      </span>,
      found[2],
    );
    last = found.index + found[0].length;
  }
  return [...parts, line.slice(last)];
}
