/** Which run it is, how it stands, by what it is found, and what may be done with it. */
import type { Live, RunView } from "@typed-flows/react";
import type { ReactNode } from "react";
import { duration, msOf, percent, time, timeFull } from "../../format";
import { Ago } from "../../parts/Ago";
import { Button } from "../../parts/Button";
import { Link } from "../../parts/Link";
import { Menu } from "../../parts/Menu";
import { State } from "../../parts/State";
import { at, withParams } from "../../route";
import * as text from "../../text";
import { word } from "./query";
import { shapeOf, wordOf } from "./states";
import type { Acts } from "./useActs";
import { hasEnded } from "./waterfall/bars";

export function RunHead({ run, acts, chosen }: { run: Live<RunView>; acts: Acts; chosen: string | null }) {
  const { chips } = text.run;
  const visits = run.past.length + 1;
  return (
    <div className="jobhd">
      <nav className="crumb" aria-label={text.run.crumb}>
        <Link to="runs">{text.run.runs}</Link> ›{" "}
        <Link to={withParams("runs", { q: word("workflow", run.workflow) })}>
          <bdi>{run.workflow}</bdi>
        </Link>{" "}
        › {text.run.run}
      </nav>
      <div className="l1">
        <h1>{run.id}</h1>
        <State shape={shapeOf(run)} word={wordOf(run)} />
        <span className="spacer" />
        <Button icon="link" onPress={acts.copyLink.run}>
          {text.run.copyLink}
        </Button>
        <Button icon="fork" off={acts.fork.off} onPress={() => acts.fork.run(chosen ?? "")}>
          {text.run.fork}
        </Button>
        <Button icon="retry" off={acts.retry.off} busy={acts.retry.busy} onPress={acts.retry.run}>
          {text.run.retry}
        </Button>
        <Button icon="x" look="bad" off={acts.cancel.off} onPress={acts.cancel.run}>
          {text.run.cancel}
        </Button>
        <Menu
          label={text.run.more}
          icon="more"
          look=""
          items={[{ text: text.run.move, icon: "move", off: acts.move.off, onChoose: acts.move.run }]}
        />
      </div>
      <div className="l2">
        {Object.entries(run.lookups).map(([name, value]) => (
          <Chip key={name} name={name}>
            <Link to={withParams("runs", { q: word(name, value) })}>{value}</Link>
          </Chip>
        ))}
        {run.tags.map((tag) => (
          <Chip key={tag} name={chips.tag}>
            <Link to={withParams("runs", { q: word("tag", tag) })}>{tag}</Link>
          </Chip>
        ))}
        {run.version != null && <Chip name={chips.version}>{run.version}</Chip>}
        {run.queue !== run.workflow && <Chip name={chips.queue}>{run.queue}</Chip>}
        {run.schedule != null && (
          <Chip name={chips.schedule}>
            <Link to={withParams("schedules", { id: run.schedule })}>{run.schedule}</Link>
          </Chip>
        )}
        {run.slot != null && <Chip name={chips.slot}>{time(run.slot)}</Chip>}
        {run.forked_from != null && (
          <Chip name={chips.forked}>
            <Link to={at("runs", run.forked_from)}>{run.forked_from}</Link>
          </Chip>
        )}
        {run.correlation_id != null && <Chip name={chips.correlation}>{run.correlation_id}</Chip>}
        {visits > 1 && (
          <Chip name={chips.visit} warn>
            {visits}
          </Chip>
        )}
        <span className="dim">
          <Facts run={run} />
        </span>
      </div>
    </div>
  );
}

function Chip({ name, warn = false, children }: { name: string; warn?: boolean; children: ReactNode }) {
  return (
    <span className={`chip cut ${warn ? "warn" : ""}`}>
      <bdi>{name}</bdi>{" "}
      <b>
        <bdi>{children}</bdi>
      </b>
    </span>
  );
}

function Facts({ run }: { run: Live<RunView> }) {
  if (hasEnded(run))
    return (
      <span title={timeFull(run.since)}>
        {text.run.ended(text.run.statuses[run.status], duration(msOf(run.since) - msOf(run.created)))}
      </span>
    );
  return (
    <>
      <Started at={run.created} />
      {run.overall > 0 && ` · ${text.run.overall(percent(Math.floor(100 * run.overall) / 100))}`}
      {run.deadline != null && ` · ${text.run.mayTake(time(run.deadline))}`}
      {run.status === "suspended" && ` · ${text.run.noWorker}`}
      {run.attempts > 1 && ` · ${text.run.attempt(run.attempts)}`}
    </>
  );
}

function Started({ at: created }: { at: string }) {
  return (
    <>
      {text.run.startedAgo} <Ago at={created} />
    </>
  );
}
