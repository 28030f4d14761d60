/** Sentences on what is wrong, the most urgent first, each with the action that mends it. */
import type { Live, QueueView } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask } from "../../ask";
import { useMe, useWhyNot } from "../../me";
import { Button, LinkButton } from "../../parts/Button";
import { Sentence } from "../../parts/Sentence";
import { jobsAt, withParams } from "../../route";
import * as text from "../../text";
import { RetryDialog } from "./RetryDialog";
import { said, troubles, word, type Trouble } from "./troubles";
import { useActing } from "../../parts/useActing";

const t = text.board;
/** So many are shown at once. */
const MOST = 3;

interface Props {
  flow: string;
  findings: readonly Trouble[];
  queues: readonly Live<QueueView>[];
  old: boolean;
}

export function Troubles({ flow, findings, queues, old }: Props) {
  const [all, setAll] = useState(false);
  const found = troubles(findings).filter((one) => stands(one, queues));
  const paused = found.filter((one) => one.what === "paused").map((one) => one.queue ?? "");
  const by = useWhoPaused(flow, paused.join(" "));
  if (!found.length) return null;
  const shown = all ? found : found.slice(0, MOST);
  return (
    <section className="troubles" aria-label={t.wrong}>
      {shown.map((one) => {
        const { head, more } = said(one, by[one.queue ?? ""] ?? null);
        return (
          <Sentence
            key={`${one.what} ${one.queue ?? ""} ${word(one, "process")}`}
            look={one.level === "wrong" ? "bad" : "warn"}
            icon={one.what === "paused" ? "pause" : one.what === "held" ? "held" : "warning"}
            head={<bdi>{head}</bdi>}
            acts={<Acts flow={flow} of={one} old={old} />}
          >
            <bdi>{more}</bdi>
          </Sentence>
        );
      })}
      {found.length > MOST && (
        <Button look="small" onPress={() => setAll(!all)} expanded={all}>
          {all ? t.fewer : t.andMore(found.length - MOST)}
        </Button>
      )}
    </section>
  );
}

/** Findings are read less often than queues: what a queue no longer is, is not said. */
function stands(of: Trouble, queues: readonly Live<QueueView>[]): boolean {
  const queue = queues.find((one) => one.name === of.queue);
  if (of.what === "paused") return queue?.paused ?? true;
  if (of.what === "held") return queue?.held_until != null;
  return true;
}

function Acts({ flow, of, old }: { flow: string; of: Trouble; old: boolean }) {
  const [retrying, setRetrying] = useState(false);
  const whyNot = useWhyNot();
  const { busy, run } = useActing();
  const queue = of.queue ?? "";
  const stale = old ? t.notLive : null;
  const workers = <LinkButton to={withParams("workers", { flow, queue })}>{t.seeWorkers}</LinkButton>;
  switch (of.what) {
    case "paused":
      return (
        <Button
          icon="play"
          busy={busy}
          off={stale ?? whyNot("queues.resume")}
          onPress={() => void run("queues.resume", { flow, queue }, t.resumed(queue))}
        >
          {t.resume}
        </Button>
      );
    case "held":
      return (
        <Button
          icon="play"
          busy={busy}
          off={stale ?? whyNot("queues.hold")}
          onPress={() => void run("queues.hold", { flow, queue, lasting: 0 }, t.let(queue))}
        >
          {t.letGo}
        </Button>
      );
    case "limited": {
      const grouped = of.facts["per_group"] === true;
      const to = withParams("limits", { flow, queue, limit: word(of, "limit") });
      return <LinkButton to={to}>{grouped ? t.seeGroups : t.raiseLimit}</LinkButton>;
    }
    case "failing":
      return (
        <>
          <LinkButton to={jobsAt(`flow:${flow} queue:${queue} state:failed`)}>{t.seeFailed}</LinkButton>
          <Button icon="retry" popup="dialog" off={stale ?? whyNot("bulk.apply")} onPress={() => setRetrying(true)}>
            {t.retryFailed}
          </Button>
          {retrying && <RetryDialog flow={flow} queue={queue} onClose={() => setRetrying(false)} />}
        </>
      );
    case "orphans":
      return <LinkButton to={jobsAt(`flow:${flow} queue:${queue}`)}>{t.seeJobs}</LinkButton>;
    case "blocked":
    case "dead":
    case "behind":
    case "unserved":
    case "stuck":
      return workers;
    default:
      return of.flow == null ? <LinkButton to="server">{text.frame.server}</LinkButton> : null;
  }
}

/** Who has paused queues, by queue: the audit knows, where it may be read. */
function useWhoPaused(flow: string, queues: string): Readonly<Record<string, string>> {
  const [by, setBy] = useState<Readonly<Record<string, string>>>({});
  const mayAsk = useMe().operations.includes("audit.list");
  useEffect(() => {
    if (!queues || !mayAsk) return;
    const gone = new AbortController();
    ask("audit.list", { flow, doing: "queues.pause", limit: 50 }, gone.signal).then(
      ({ actions }) => {
        const found: Record<string, string> = {};
        for (const one of actions) {
          const queue = one.given["queue"];
          if (one.word === "paused" && typeof queue === "string") found[queue] ??= one.caller;
        }
        setBy(found);
      },
      () => {}, // it is told without a name
    );
    return () => gone.abort();
  }, [flow, queues, mayAsk]);
  return by;
}
