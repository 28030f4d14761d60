/** Where the tasks and threads of a process are: taken when it is opened, and again when that is asked for. */
import type { DumpView } from "@typed-flows/react";
import { useCallback, useEffect, useState } from "react";
import { act, Problem } from "../../ask";
import { time } from "../../format";
import { Bones } from "../../parts/Bones";
import { Button } from "../../parts/Button";
import { copy } from "../../parts/copy";
import { Dialog } from "../../parts/Dialog";
import { Sentence } from "../../parts/Sentence";
import { useToast } from "../../parts/Toast";
import * as text from "../../text";
import { shortName, type Worker } from "./order";

export function Stacks({ worker, onClose }: { worker: Worker; onClose: () => void }) {
  const [found, setFound] = useState<DumpView | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const toast = useToast();
  const { name, flow } = worker;
  const take = useCallback(async () => {
    setAsking(true);
    setWrong(null);
    try {
      setFound(await act("workers.dump", { process: name, flow }));
    } catch (error) {
      setWrong(error instanceof Problem ? error.detail : String(error));
    }
    setAsking(false);
  }, [name, flow]);
  useEffect(() => void take(), [take]);
  const where = worker.blocked?.where ?? null;
  return (
    <Dialog
      title={text.workers.stacks.title(shortName(worker))}
      wide
      onClose={onClose}
      acts={
        <>
          <Button
            icon="copy"
            off={found ? null : text.workers.stacks.asking}
            onPress={() =>
              void copy(plain(found!)).then((done) => toast(done ? text.parts.copied : text.parts.notCopied))
            }
          >
            {text.workers.stacks.copy}
          </Button>
          <Button icon="retry" busy={asking} onPress={() => void take()}>
            {text.workers.stacks.again}
          </Button>
        </>
      }
    >
      {wrong && <Sentence look="bad" head={wrong} />}
      {asking && (
        <>
          <p className="sub" role="status">
            {text.workers.stacks.asking}
          </p>
          {!found && <Bones rows={6} />}
        </>
      )}
      {found && <Told found={found} where={where} />}
    </Dialog>
  );
}

function Told({ found, where }: { found: DumpView; where: string | null }) {
  return (
    <>
      <p>
        <b>{text.workers.stacks.taken(time(found.at), found.tasks)}</b>{" "}
        <span className="sub">
          {text.workers.stacks.told} {found.cut && text.workers.stacks.cut}
        </span>
      </p>
      {(where === null ? tasksFirst(found) : found.stacks).map((stack, i) => (
        <section key={i}>
          <h3 className="strong">
            {text.workers.stacks.kind(text.workers.stacks.kinds[stack.kind] ?? stack.kind, stack.count)}
          </h3>
          {/* Focusable, so that a long line can be read by the keyboard. */}
          <ol className="code nums stack-of" tabIndex={0} aria-label={text.workers.stacks.kinds[stack.kind]}>
            {stack.frames.map((frame, n) => (
              <li key={n} className={isWhere(frame, where) ? "hit" : ""}>
                <Frame of={frame} />
              </li>
            ))}
          </ol>
        </section>
      ))}
    </>
  );
}

function Frame({ of }: { of: string }) {
  const at = of.indexOf(" ");
  return (
    <bdi>
      {at < 0 ? of : of.slice(0, at)} {at >= 0 && <b>{of.slice(at + 1)}</b>}
    </bdi>
  );
}

/** Whether a frame ("file:line function") is the line that blocks ("function in file:line"; the file cut at its front). */
function isWhere(frame: string, where: string | null): boolean {
  const at = where?.lastIndexOf(" in ") ?? -1;
  return at >= 0 && (frame.split(" ")[0] ?? "").endsWith(where!.slice(at + 4));
}

const plain = (found: DumpView) =>
  found.stacks
    .map((one) => [`${one.count} ${one.kind}`, ...one.frames.map((frame) => `  ${frame}`)].join("\n"))
    .join("\n\n");

/** What runs jobs before what keeps the process going. */
const tasksFirst = (found: DumpView) =>
  [...found.stacks].sort((one, other) => Number(one.kind !== "task") - Number(other.kind !== "task"));
