/** The trees of all apps: found by app, realm, generator, name, label and state; live, newest first. */
import type { PageProps } from "..";
import { Button } from "../../parts/Button";
import { copy } from "../../parts/copy";
import { Title } from "../../parts/Title";
import { useToast } from "../../parts/Toast";
import * as text from "../../text";
import { Filter } from "./Filter";
import { isChip, parse, type Chip, type Query } from "./query";
import { TreeList } from "./TreeList";

export default function Trees({ params }: PageProps) {
  const words = text.trees;
  const q = params.get("q") ?? "";
  const state = params.get("state");
  const chip: Chip = isChip(state) ? state : "all";
  const query = parse(q);
  const toast = useToast();
  return (
    <div className="stack">
      <Title
        title={words.title}
        sub={<bdi>{words.sub(query.own.app ?? null)}</bdi>}
        acts={
          <Button
            icon="code"
            onPress={() =>
              void copy(commandOf(query, chip)).then((done) => toast(done ? text.parts.copied : text.parts.notCopied))
            }
          >
            {words.copyCommand}
          </Button>
        }
      />
      <Filter q={q} query={query} chip={chip} />
      <TreeList key={`${q} ${chip}`} q={q} query={query} chip={chip} />
    </div>
  );
}

function commandOf({ own, labels }: Query, chip: Chip): string {
  const quoted = (value: string) => (/^[\w.-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`);
  return text.trees.command([
    ...Object.entries(own).map(([name, value]) => `--${name} ${quoted(value)}`),
    ...Object.entries(labels).map(([name, value]) => `--labels.${name} ${quoted(value)}`),
    ...(chip === "all" ? [] : [`--status ${chip}`]),
  ]);
}
