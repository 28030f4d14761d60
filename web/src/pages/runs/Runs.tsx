/** The runs of all workflows: found by workflow, tag, lookups and state; live, newest first. */
import type { WorkflowView } from "@typed-flows/react";
import { useTopic } from "@typed-flows/react";
import { useState } from "react";
import type { PageProps } from "..";
import { useWhyNot } from "../../me";
import { Button, LinkButton } from "../../parts/Button";
import { copy } from "../../parts/copy";
import { Sentence } from "../../parts/Sentence";
import { Title } from "../../parts/Title";
import { useToast } from "../../parts/Toast";
import { jobsAt } from "../../route";
import * as text from "../../text";
import { useCommands } from "../../keys/commands";
import { StartRun } from "./dialogs/StartRun";
import { Filter } from "./Filter";
import { isChip, parse, word, type Chip, type Query } from "./query";
import { RunList } from "./RunList";

const NAMES = 4;

export default function Runs({ params }: PageProps) {
  const words = text.runs;
  const q = params.get("q") ?? "";
  const state = params.get("state");
  const chip: Chip = isChip(state) ? state : "all";
  const query = parse(q);
  const toast = useToast();
  const off = useWhyNot()("runs.start");
  const [starts, setStarts] = useState(false);
  const { state: known } = useTopic<{ items: WorkflowView[] }>("workflows");
  const workflows = known?.items ?? null;
  useCommands([{ title: words.start, icon: "plus", off, run: () => setStarts(true) }]);
  const dead = (workflows ?? []).filter((one) => !one.live && one.waiting + one.delayed + one.processing > 0);
  return (
    <div className="stack">
      <Title
        title={words.title}
        sub={<bdi>{words.sub(query.workflow)}</bdi>}
        acts={
          <>
            <Button
              icon="code"
              onPress={() =>
                void copy(commandOf(query, chip)).then((done) => toast(done ? text.parts.copied : text.parts.notCopied))
              }
            >
              {words.copyCommand}
            </Button>
            {query.workflow !== null && (
              <LinkButton to={jobsAt(bulkQuery(query, chip))} icon="jobs">
                {words.onMany}
              </LinkButton>
            )}
            <Button icon="plus" off={off} onPress={() => setStarts(true)}>
              {words.start}
            </Button>
          </>
        }
      />
      {dead.length > 0 && (
        <Sentence
          head={
            <bdi>
              {words.notLive(
                dead
                  .slice(0, NAMES)
                  .map((one) => one.workflow)
                  .join(", ") + (dead.length > NAMES ? ", …" : ""),
              )}
            </bdi>
          }
        >
          {words.notLiveMore}
        </Sentence>
      )}
      <Filter q={q} query={query} chip={chip} workflows={workflows} />
      <RunList key={`${q} ${chip}`} q={q} query={query} chip={chip} />
      {starts && <StartRun workflow={query.workflow} workflows={workflows ?? []} onClose={() => setStarts(false)} />}
    </div>
  );
}

const states: Partial<Record<Chip, string>> = {
  waiting: "waiting",
  running: "processing",
  suspended: "delayed",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
};

/** The same runs as jobs of the flow of runs: there they are selected, and acted on. */
function bulkQuery(query: Query, chip: Chip): string {
  const own = Object.entries({ workflow: query.workflow, tag: query.tag, ...query.lookup });
  const found = own.flatMap(([name, value]) => (value === null ? [] : [word(name, value)]));
  return ["flow:run", ...found, ...(states[chip] ? [`state:${states[chip]}`] : [])].join(" ");
}

function commandOf(query: Query, chip: Chip): string {
  const quoted = (value: string) => (/^[\w.-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`);
  const found = [
    ...(query.workflow === null ? [] : [`--workflow ${quoted(query.workflow)}`]),
    ...(query.tag === null ? [] : [`--tag ${quoted(query.tag)}`]),
    ...Object.entries(query.lookup).map(([name, value]) => `--lookup.${name} ${quoted(value)}`),
    ...(states[chip] ? [`--status ${chip === "suspended" ? "suspended" : states[chip]}`] : []),
  ];
  return text.runs.command(found);
}
