/** What the functions of a job, or of a task of a tree, log, as they log it; it can be held, and what came late says so. */
import { useTopic, type LogLineView, type LogView, type Live } from "@typed-flows/react";
import { Fragment, useEffect, useRef, useState } from "react";
import { writeJson } from "../../exact";
import { timeExact, timeFull } from "../../format";
import { Bones } from "../../parts/Bones";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import * as text from "../../text";

const said = text.job.log;
/** So many lines are drawn at first, the last ones. */
const MOST = 100;
const LEVELS: Readonly<Record<string, string>> = {
  debug: "dim",
  info: "processing",
  warning: "warn",
  warn: "warn",
  error: "failed",
  critical: "failed",
};

export function Log({ flow, id }: { flow: string; id: string }) {
  const { state, error } = useTopic<LogView>(`log/${flow}/${id}`);
  return <LogCard state={state} problem={error?.message ?? null} />;
}

/** Lines that come while it is looked at; null: none has been told yet, or `problem` says why. */
export function LogCard({ state, problem }: { state: Live<LogView> | null; problem: string | null }) {
  const [held, setHeld] = useState<Live<LogView> | null>(null);
  const log = held ?? state;
  const newer = held && state ? state.lines.filter((line) => line.n > held.last).length : 0;
  return (
    <Card
      title={said.title}
      more={
        <>
          {newer > 0 && <span>{said.newer(newer)}</span>}
          <span className={`beat ${held ? "still" : ""}`} />
          {held ? said.held : said.follows}
          {state && (
            <Button look="small" icon={held ? "play" : "pause"} onPress={() => setHeld(held ? null : state)}>
              {held ? said.goOn : said.hold}
            </Button>
          )}
        </>
      }
    >
      {log === null ? (
        problem !== null ? (
          <p className="pad dim">{problem}</p>
        ) : (
          <Bones rows={3} />
        )
      ) : log.hidden ? (
        <p className="pad dim">{said.hidden}</p>
      ) : log.lines.length === 0 ? (
        <p className="pad dim">{said.none}</p>
      ) : (
        <Lines of={log.lines} follows={held === null} />
      )}
    </Card>
  );
}

function Lines({ of, follows }: { of: readonly Live<LogLineView>[]; follows: boolean }) {
  const [most, setMost] = useState(MOST);
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const last = of.at(-1)?.n;
  useEffect(() => {
    if (follows && atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follows, last]);
  const shown = of.slice(-most);
  return (
    <div
      className="log-at"
      ref={box}
      tabIndex={0}
      role="log"
      aria-label={said.title}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < 8;
      }}
    >
      {of.length > shown.length && (
        <Button look="quiet small" onPress={() => setMost(most + 10 * MOST)}>
          {said.earlier(of.length - shown.length)}
        </Button>
      )}
      <div className="log">
        {shown.map((line, n) => (
          <Fragment key={line.n || `at ${n}`}>
            <time className="t" dateTime={line.at} title={timeFull(line.at)}>
              {timeExact(line.at)}
            </time>
            <span className={`lv ${LEVELS[line.level.toLowerCase()] ?? "dim"}`}>{line.level}</span>
            <span className="text">
              <bdi>{line.text}</bdi> <Meta of={line.meta} />
              {line.late && (
                <span className="chip warn" title={said.lateTitle}>
                  {said.late}
                </span>
              )}
            </span>
          </Fragment>
        ))}
      </div>
    </div>
  );
}

function Meta({ of }: { of: Readonly<Record<string, unknown>> }) {
  const pairs = Object.entries(of);
  if (pairs.length === 0) return null;
  const words = pairs.map(([name, value]) => `${name}=${typeof value === "string" ? value : writeJson(value)}`);
  return <bdi className="dim">{words.join(" ")} </bdi>;
}
