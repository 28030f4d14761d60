/** The flow, the search, whether what is shown is live, and a new job. */
import type { FlowRow, Live } from "@typed-flows/react";
import { useWhyNot } from "../me";
import { Button } from "../parts/Button";
import { Icon } from "../parts/Icon";
import { Menu } from "../parts/Menu";
import { at, navigate, withParams } from "../route";
import { Search } from "../search/Search";
import * as text from "../text";
import { LivePill } from "./LivePill";

export function TopBar({ flows, flow }: { flows: readonly Live<FlowRow>[]; flow: string | null }) {
  const whyNot = useWhyNot();
  return (
    <header className="top">
      {flows.length > 1 && (
        <Menu
          label={text.frame.chooseFlow}
          look=""
          className="pick-at"
          items={[
            { text: text.frame.allFlows, onChoose: () => navigate("") },
            ...flows.map((one) => ({
              text: one.name,
              current: one.name === flow,
              onChoose: () => navigate(at("flows", one.name)),
            })),
          ]}
        >
          <bdi className="cut">{flow ?? text.frame.allFlows}</bdi>
          <Icon name="down" />
        </Menu>
      )}
      <Search flows={flows} flow={flow} />
      <span className="spacer" />
      <span id="top-tools" />
      <LivePill />
      <Button icon="plus" look="pri" off={whyNot("jobs.create")} onPress={() => navigate(withParams("new", { flow }))}>
        {text.frame.newJob}
      </Button>
    </header>
  );
}
