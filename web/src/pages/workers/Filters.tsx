/** Which processes are shown: by state, queue, host and release. */
import { count } from "../../format";
import { Icon } from "../../parts/Icon";
import { Menu } from "../../parts/Menu";
import { setParams } from "../../route";
import * as text from "../../text";
import { distinct, shortRelease, STATES, type Filter, type Worker } from "./order";

const TONES: Record<string, string> = {
  blocked: "failed",
  silent: "warn",
  leaving: "waiting",
  works: "all",
  died: "failed",
};

export function Filters({ all, found, filter }: { all: readonly Worker[]; found: readonly Worker[]; filter: Filter }) {
  const of = (state: string) => found.filter((one) => one.state === state).length;
  const states = STATES.filter((state) => of(state) > 0 || filter.state === state);
  return (
    <div className="filters" role="group" aria-label={text.workers.filters}>
      <Chip
        word={text.workers.states.all}
        n={found.length - of("died")}
        on={filter.state === null}
        tone="all"
        to={null}
      />
      {states.map((state) => (
        <Chip
          key={state}
          word={text.workers.states[state]}
          n={of(state)}
          on={filter.state === state}
          tone={TONES[state]!}
          to={state}
        />
      ))}
      <span className="spacer" />
      <input
        className="inp find-in"
        type="search"
        aria-label={text.workers.findOne}
        placeholder={text.workers.findOne}
        value={filter.name ?? ""}
        onChange={(event) => setParams({ name: event.target.value })}
      />
      <Choice
        name="queue"
        title={text.workers.queue}
        values={distinct(all.flatMap((one) => one.queues.map((queue) => queue.queue)))}
        chosen={filter.queue}
      />
      <Choice
        name="host"
        title={text.workers.host}
        values={distinct(all.map((one) => one.host))}
        chosen={filter.host}
      />
      <Choice
        name="release"
        title={text.workers.release}
        values={distinct(all.map((one) => one.digest))}
        chosen={filter.release}
        write={shortRelease}
      />
    </div>
  );
}

function Chip({ word, n, on, tone, to }: { word: string; n: number; on: boolean; tone: string; to: string | null }) {
  return (
    <button
      type="button"
      className={`filter ${tone} ${on ? "on" : ""}`}
      aria-pressed={on}
      onClick={() => setParams({ state: on ? null : to })}
    >
      {word} <b>{count(n)}</b>
    </button>
  );
}

interface ChoiceProps {
  name: string;
  title: string;
  values: readonly string[];
  chosen: string | null;
  write?: (value: string) => string;
}

function Choice({ name, title, values, chosen, write = (value) => value }: ChoiceProps) {
  if (values.length < 2 && chosen === null) return null;
  const label = chosen === null ? text.workers.any(title) : text.workers.only(title, write(chosen));
  return (
    <Menu
      label={label}
      look="small"
      items={[
        { text: text.workers.any(title), current: chosen === null, onChoose: () => setParams({ [name]: null }) },
        ...values.map((value) => ({
          text: write(value),
          current: value === chosen,
          onChoose: () => setParams({ [name]: value }),
        })),
      ]}
    >
      <bdi className="cut">{label}</bdi>
      <Icon name="down" />
    </Menu>
  );
}
