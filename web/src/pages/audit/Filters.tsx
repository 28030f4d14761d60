/** What of the log is shown: by kind of action, by who did it, by flow. */
import { useTopic, type FlowRow } from "@typed-flows/react";
import { Button } from "../../parts/Button";
import { Icon } from "../../parts/Icon";
import { Menu } from "../../parts/Menu";
import { setParams } from "../../route";
import * as text from "../../text";
import { KINDS } from "./entries";

interface Props {
  doing: string;
  caller: string;
  flow: string;
  about: string;
  /** Those who stand in what is shown. */
  callers: readonly string[];
}

export function Filters({ doing, caller, flow, about, callers }: Props) {
  const audit = text.audit;
  const { state } = useTopic<{ items: FlowRow[] }>("flows");
  const flows = (state?.items ?? []).map((one) => one.name);
  const kinds = Object.entries(KINDS) as [keyof typeof KINDS, string][];
  return (
    <div className="filters" role="group" aria-label={audit.kinds}>
      {kinds.map(([kind, names]) => (
        <button
          key={kind}
          type="button"
          className={`filter all ${doing === names ? "on" : ""}`}
          aria-pressed={doing === names}
          onClick={() => setParams({ doing: names || null, open: null })}
        >
          {audit.kind[kind]}
        </button>
      ))}
      <span className="spacer" />
      {about && (
        <Button look="small" icon="x" label={audit.clear} onPress={() => setParams({ about: null })}>
          <bdi className="cut">{audit.about(about)}</bdi>
        </Button>
      )}
      <Choice name="caller" title={audit.who} any={audit.anybody} values={callers} chosen={caller} />
      <Choice name="flow" title={audit.flow} any={audit.anyFlow} values={flows} chosen={flow} />
    </div>
  );
}

interface ChoiceProps {
  name: string;
  title: string;
  any: string;
  values: readonly string[];
  chosen: string;
}

function Choice({ name, title, any, values, chosen }: ChoiceProps) {
  const all = [...new Set(chosen ? [chosen, ...values] : values)].sort();
  if (all.length < 2 && !chosen) return null;
  const label = chosen ? text.audit.only(title, chosen) : any;
  return (
    <Menu
      label={label}
      look="small"
      items={[
        { text: any, current: !chosen, onChoose: () => setParams({ [name]: null }) },
        ...all.map((value) => ({
          text: value,
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
