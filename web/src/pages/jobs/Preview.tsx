/** Before anything is done to many jobs: how many they are, what they are, what will happen, and what speaks against. */
import type { FlowView } from "@typed-flows/react";
import { useEffect, useRef, useState } from "react";
import { Problem } from "../../ask";
import { count, duration, shortId, time, useNow } from "../../format";
import { Bones } from "../../parts/Bones";
import { Button } from "../../parts/Button";
import { Icon } from "../../parts/Icon";
import { Link } from "../../parts/Link";
import { jobAt } from "../../route";
import * as text from "../../text";
import type { Verb } from "../../text/en/jobs";
import { Consequences } from "./Consequences";
import { Lookups } from "./Lookups";
import { UNDO, type More } from "./useBulk";
import type { Row } from "./useList";
import { usePlan, type Plan } from "./usePlan";

const said = text.jobs.preview;
const ICONS = { retry: "retry", move: "move", cancel: "x", delete: "bin" } as const;
const SAMPLE = 3;

interface Props {
  verb: Verb;
  query: string;
  /** The flow, as it is declared. */
  flow: FlowView;
  /** The chosen rows; null: all that match. */
  chosen: readonly Row[] | null;
  attempts: ReadonlyMap<string, number>;
  onClose: () => void;
  /** Raises what the server refuses. */
  onGo: (plan: Plan, more: More) => Promise<void>;
}

export function Preview({ verb, query, flow, chosen, attempts, onClose, onGo }: Props) {
  const { plan, problem } = usePlan(verb, query, flow.name, chosen, attempts);
  const [more, setMore] = useState<More>({});
  const [sure, setSure] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const panel = useRef<HTMLElement>(null);
  const known = plan !== null;
  // What is asked has the focus as soon as it can be answered: Enter does it, Escape leaves it.
  useEffect(() => {
    const answer = panel.current?.querySelector<HTMLElement>("select, .acts button");
    (answer ?? panel.current)?.focus();
  }, [verb, known]);
  const asksTwice = verb === "delete";
  const go = async () => {
    if (!plan) return;
    if (asksTwice && !sure) return setSure(true);
    setBusy(true);
    try {
      await onGo(plan, more);
      onClose();
    } catch (error) {
      setRefused(error instanceof Problem ? error.detail : String(error));
    }
    setBusy(false);
  };
  const missing = verb === "move" && !more.to ? said.to : null;
  return (
    <section
      className="card preview"
      ref={panel}
      tabIndex={-1}
      aria-label={said.label(verb, plan?.count ?? 0)}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          onClose();
        }
      }}
    >
      <header>
        <Icon name={ICONS[verb]} />
        <h2>{said.title(verb)}</h2>
        <span className="more">
          <Button look="quiet" icon="x" label={said.close} onPress={onClose} />
        </span>
      </header>
      {plan === null ? (
        <div className="sec">{problem ? <p className="failed">{problem}</p> : <Bones rows={5} />}</div>
      ) : (
        <>
          <div className="sec first" aria-live="polite">
            <p className="big">{said.big(plan.count, plan.exact)}</p>
            <p className="sub">{howMany(verb, plan)}</p>
            {plan.left > 0 && <p className="warn">{said.left(plan.left)}</p>}
          </div>
          {plan.count > 0 && (
            <>
              <What verb={verb} plan={plan} />
              <Consequences verb={verb} plan={plan} flow={flow} more={more} onMore={setMore} />
              <Sample plan={plan} />
            </>
          )}
          {refused && (
            <div className="sec">
              <p className="failed" role="alert">
                {refused}
              </p>
            </div>
          )}
          <div className="acts">
            <Button
              icon={ICONS[verb]}
              look={verb === "retry" || verb === "move" ? "pri" : "bad"}
              off={plan.count === 0 ? said.none(verb) : missing}
              busy={busy}
              onPress={() => void go()}
            >
              {sure ? said.sure(plan.count) : said.go(verb, plan.count)}
            </Button>
            <Button onPress={onClose}>{said.keep}</Button>
            <span className="dim undo-for">{said.undoFor(UNDO)}</span>
          </div>
        </>
      )}
    </section>
  );
}

function howMany(verb: Verb, plan: Plan): string {
  if (plan.count === 0) return said.none(verb);
  if (plan.before === null) return said.chosen;
  return (plan.exact ? said.exactly : said.atLeast)(verb, time(plan.before));
}

function What({ verb, plan }: { verb: Verb; plan: Plan }) {
  const now = useNow();
  const looked = plan.parts.reduce((n, part) => n + part.count, 0);
  const oldest = Math.min(...plan.parts.map((part) => part.oldest));
  const used = plan.parts.reduce((n, part) => n + part.used_up, 0);
  return (
    <div className="sec">
      <h3>
        {said.whatTheyAre} {looked < plan.count && said.ofFirst(looked)}
      </h3>
      {plan.parts.slice(0, 6).map((part) => (
        <div className="row" key={part.queue}>
          <bdi className="mono">{part.queue}</bdi>
          <b>{count(part.count)}</b>
        </div>
      ))}
      {Number.isFinite(oldest) && (
        <div className="row">
          <span>{said.oldest(verb)}</span>
          <b>{text.parts.ago(duration(Math.max(0, Math.round((now - oldest) / 1000) * 1000)))}</b>
        </div>
      )}
      {verb === "retry" && used > 0 && (
        <div className="row">
          <span>{said.usedUp}</span>
          <b className="warn">{count(used)}</b>
        </div>
      )}
    </div>
  );
}

function Sample({ plan }: { plan: Plan }) {
  const shown = plan.sample.slice(0, SAMPLE);
  return (
    <div className="sec">
      <h3>{said.sample(shown.length, plan.sample.length)}</h3>
      {shown.map((job) => (
        <div className="row" key={job.id}>
          <Link to={jobAt(job.flow, job.id)} className="mono" title={job.id}>
            {shortId(job.id)}
          </Link>
          <span className="cut-1">
            <Lookups of={job.lookups} />
          </span>
        </div>
      ))}
    </div>
  );
}
