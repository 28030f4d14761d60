/** Which job it is, and what can be done with it. */
import type { FlowView, JobView, Live } from "@typed-flows/react";
import { useState } from "react";
import { writeJson } from "../../exact";
import { act, Problem, type Acting } from "../../ask";
import { duration, msOf, percent, timeShort, useNow } from "../../format";
import { useCommands } from "../../keys/commands";
import { useWhyNot } from "../../me";
import { Ago } from "../../parts/Ago";
import { Button } from "../../parts/Button";
import { copy } from "../../parts/copy";
import { Link } from "../../parts/Link";
import { Menu } from "../../parts/Menu";
import { State } from "../../parts/State";
import { useTabTitle } from "../../parts/Title";
import { useToast } from "../../parts/Toast";
import { at, jobAt, jobsAt, navigate, withParams } from "../../route";
import { quoted as word } from "../../search/words";
import * as text from "../../text";
import { createJob } from "../python";
import { quoted } from "../jobs/query";
import { CancelDialog, DeleteDialog, PriorityDialog } from "./Dialogs";
import { MoveDialog } from "./MoveDialog";
import { ownFlow } from "./useJob";

const said = text.job;
type Asked = "move" | "cancel" | "delete" | "priority" | null;

interface Props {
  job: Live<JobView>;
  view: FlowView | null;
  attempts: ReadonlyMap<string, number>;
  /** Why nothing can be done at the moment. */
  old: string | null;
}

export function Head({ job, view, attempts, old }: Props) {
  useTabTitle(`${said.title} ${job.id}`);
  const toast = useToast();
  const [asked, setAsked] = useState<Asked>(null);
  const off = useOff(job, view, old);
  const child = job.flow.includes(":");
  const own = ownFlow(job);
  const tell = (value: string, done: string) => void copy(value).then((ok) => toast(ok ? done : said.notCopied));
  const copyLink = () => tell(location.href, said.linkCopied);
  const of = { id: job.id, flow: job.flow };
  const now = (name: "jobs.retry" | "jobs.promote") =>
    act(name, of).then(
      (acted) => toast(said.acted(acted.word)),
      (problem: Problem) => toast(problem.detail, { lasts: 8_000 }),
    );
  useCommands([
    { key: "copyLink", run: copyLink },
    { key: "retry", off: off.retry, run: () => void now("jobs.retry") },
    { key: "cancel", off: off.cancel, run: () => setAsked("cancel") },
    { key: "move", off: off.move, run: () => setAsked("move") },
  ]);
  const params = Object.fromEntries(
    job.fields.filter((field) => field.of === "params" && !field.hidden).map((field) => [field.name, field.value]),
  );
  const model = view?.params?.title ?? "";
  return (
    <header className="jobhd">
      <nav className="crumb" aria-label={said.crumbs}>
        {own !== null && (
          <>
            <Link to={at("flows", own)}>
              <bdi>{own}</bdi>
            </Link>
            <span aria-hidden="true">›</span>
          </>
        )}
        <Link to={jobsAt(`${own === null ? "" : `flow:${own} `}queue:${word(job.queue)}`)}>
          <bdi>{job.queue}</bdi>
        </Link>
        <span aria-hidden="true">›</span>
        <span>{said.here}</span>
      </nav>
      <div className="l1">
        <h1>{job.id}</h1>
        <State shape={job.state} />
        <span className="spacer" />
        <Button icon="link" onPress={copyLink}>
          {said.copyLink}
        </Button>
        {job.state === "delayed" && (
          <Button icon="play" off={off.promote} onPress={() => void now("jobs.promote")}>
            {said.promote}
          </Button>
        )}
        <Button icon="move" off={off.move} onPress={() => setAsked("move")}>
          {said.move}
        </Button>
        <Button icon="retry" off={off.retry} onPress={() => void now("jobs.retry")}>
          {said.retry}
        </Button>
        <Button icon="x" look="bad" off={off.cancel} onPress={() => setAsked("cancel")}>
          {said.cancel}
        </Button>
        <Menu
          label={said.more}
          icon="more"
          items={[
            {
              text: said.asPython,
              icon: "code",
              off: child ? said.notIn.child : null,
              onChoose: () => tell(createJob(job.flow, model, params), said.copied),
            },
            {
              text: said.asCommand,
              icon: "code",
              onChoose: () => tell(`flows jobs show ${quoted(job.id)}`, said.copied),
            },
            {
              text: said.createLike,
              icon: "plus",
              off: child ? said.notIn.child : null,
              onChoose: () => navigate(withParams("new", { flow: job.flow, like: job.id })),
            },
            { text: said.setPriority, icon: "edit", off: off.priority, onChoose: () => setAsked("priority") },
            { text: said.delete, icon: "bin", bad: true, off: off.delete, onChoose: () => setAsked("delete") },
          ]}
        />
      </div>
      <div className="l2">
        {Object.entries(job.lookups).map(([name, value]) => (
          <Chip key={name} name={name} value={value} flow={own ?? ""} />
        ))}
        {job.correlation_id && <Chip name={said.correlation} value={job.correlation_id} />}
        {job.idempotency_key && <Chip name={said.key} value={job.idempotency_key} />}
        {job.parent && (
          <span className="chip">
            {said.parent} <Parent of={job.parent} />
          </span>
        )}
        <span>
          {said.created} <Ago at={job.created} />
        </span>
        {job.expires && <span className="dot-before">{said.livesUntil(timeShort(job.expires))}</span>}
        {isUnderWay(job) && (
          <span className="dot-before">{said.overall(percent(Math.floor(100 * job.overall) / 100))}</span>
        )}
        <Attempt job={job} of={attempts.get(job.queue)} />
        {job.priority > 1 && <span className="dot-before">{said.priority(job.priority)}</span>}
        {job.cost > 1 && <span className="dot-before">{said.cost(job.cost)}</span>}
      </div>
      {asked === "move" && view && <MoveDialog job={job} view={view} onClose={() => setAsked(null)} />}
      {asked === "cancel" && (
        <CancelDialog
          of={of}
          state={job.state}
          children={job.children != null || job.state === "children"}
          onClose={() => setAsked(null)}
        />
      )}
      {asked === "delete" && <DeleteDialog of={of} onClose={() => setAsked(null)} />}
      {asked === "priority" && (
        <PriorityDialog of={of} now={job.priority} most={mostPriorities(view)} onClose={() => setAsked(null)} />
      )}
    </header>
  );
}

function Attempt({ job, of }: { job: Live<JobView>; of: number | undefined }) {
  const now = useNow();
  if (!job.attempt) return null;
  const since = job.state === "processing" ? ` · ${said.stop.runs(duration(Math.max(0, now - msOf(job.since))))}` : "";
  return (
    <span className="dot-before">
      {said.attempt(job.attempt, of)}
      {since}
    </span>
  );
}

function Parent({ of }: { of: string }) {
  const split = of.lastIndexOf(":");
  const [flow, id] = [of.slice(0, split), of.slice(split + 1)];
  return (
    <Link to={jobAt(flow, id)} className="mono">
      {id}
    </Link>
  );
}

const LONGEST = 60;

function Chip({ name, value, flow }: { name: string; value: unknown; flow?: string }) {
  const whole = typeof value === "string" ? value : writeJson(value);
  const shown = (
    <>
      <bdi>{name}</bdi>{" "}
      <b className="cut-1">
        <bdi>{whole.length > LONGEST ? `${whole.slice(0, LONGEST)}…` : whole}</bdi>
      </b>
    </>
  );
  const single = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  if (!flow || !single || whole.length > LONGEST)
    return (
      <span className="chip" title={whole.slice(0, 1000)}>
        {shown}
      </span>
    );
  return (
    <Link to={jobsAt(`flow:${flow} ${name}:${word(whole)}`)} className="chip">
      {shown}
    </Link>
  );
}

const mostPriorities = (view: FlowView | null) =>
  Math.max(1, ...(view?.declared.map((queue) => queue.priorities) ?? []));

function useOff(job: Live<JobView>, view: FlowView | null, old: string | null) {
  const whyNot = useWhyNot();
  const { state } = job;
  const child = job.flow.includes(":") ? said.notIn.child : null;
  const unless = (operation: Acting, why: string | null) => old ?? whyNot(operation) ?? why;
  const ended = state === "failed" || state === "cancelled";
  const rests = state === "waiting" || state === "delayed";
  return {
    retry: unless("jobs.retry", ended ? child : said.notIn.retry),
    cancel: unless("jobs.cancel", ended || state === "done" ? said.notIn.cancel : null),
    move: unless("jobs.move", ended || rests ? child : said.notIn.move),
    promote: unless("jobs.promote", state === "delayed" ? null : said.notIn.promote),
    delete: unless("jobs.delete", null),
    priority: unless(
      "jobs.set_priority",
      !rests ? said.notIn.priority : mostPriorities(view) > 1 ? null : said.noPriorities,
    ),
  };
}

/** Whether something is done of it, and something is left: of others their state says it. */
const isUnderWay = ({ overall }: Live<JobView>) => overall > 0 && overall < 1;
