/** The pages, the flows, who looks, and the theme. */
import { useConnection, type FlowRow, type Live } from "@typed-flows/react";
import { post } from "../ask";
import { useKnown, useMe } from "../me";
import { entries } from "../pages";
import { Button } from "../parts/Button";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";
import { Mark } from "../parts/State";
import { at } from "../route";
import { text } from "../text";
import { toggleTheme } from "../theme";

export function Rail({ under, flows, flow }: { under: string; flows: readonly Live<FlowRow>[]; flow: string | null }) {
  const { status } = useConnection();
  return (
    <nav className={`rail ${status === "open" ? "" : "off"}`} aria-label={text.frame.main}>
      <Link to="" className="brand">
        <svg
          viewBox="0 0 20 20"
          width="20"
          height="20"
          fill="none"
          stroke="currentColor"
          strokeWidth="2.2"
          strokeLinecap="round"
          aria-hidden="true"
        >
          <path d="M2 6c4-4 6 4 10 0 2-2 4-2 6-1M2 14c4-4 6 4 10 0 2-2 4-2 6-1" />
        </svg>
        {text.frame.brand}
      </Link>
      {entries.map((entry) => (
        <Link
          key={entry.name}
          to={entry.name === "board" && flow ? at("flows", flow) : entry.to}
          className={`nav ${entry.name === under ? "on" : ""}`}
          current={entry.name === under}
        >
          <Icon name={entry.icon} />
          {entry.title}
        </Link>
      ))}
      {flows.length > 0 && <div className="nav-h">{text.frame.flows}</div>}
      <div className="nav-flows">
        {flows.map((one) => (
          <Link key={one.name} to={at("flows", one.name)} className="nav">
            <Mark shape={one.seen ? "processing" : "waiting"} />
            <bdi className="cut">{one.name}</bdi>
          </Link>
        ))}
      </div>
      <Foot />
    </nav>
  );
}

function Foot() {
  const me = useMe();
  const { ask } = useKnown();
  return (
    <footer>
      <div>
        <span className="avatar" aria-hidden="true">
          {me.name.slice(0, 2).toUpperCase()}
        </span>
        <span className="cut">{text.frame.who(me.name, me.role)}</span>
        {me.login && (
          <Button look="quiet" icon="out" label={text.frame.logOut} onPress={() => void post("logout", {}).then(ask)} />
        )}
      </div>
      <div>
        <Button look="quiet" icon="moon" onPress={toggleTheme}>
          {text.frame.theme}
        </Button>
      </div>
    </footer>
  );
}
