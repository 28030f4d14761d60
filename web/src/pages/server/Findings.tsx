/** What `server.check` has found: what is wrong first, each with what to do. */
import type { CheckView, Finding, Live } from "@typed-flows/react";
import { useState } from "react";
import { Button, LinkButton } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { State } from "../../parts/State";
import type { Shape } from "../../parts/shapes";
import { at, jobsAt, withParams } from "../../route";
import * as text from "../../text";

const ORDER = { wrong: 0, warning: 1, fine: 2 } as const;
const SHAPES: Record<Finding["level"], Shape> = { wrong: "blocked", warning: "silent", fine: "ok" };
const SHOWN = 20;

type Found = Live<Finding>;

export function Findings({ check }: { check: Live<CheckView> }) {
  const [whole, setWhole] = useState(false);
  const server = text.server;
  const loud = check.findings.filter((one) => one.level !== "fine");
  loud.sort((a, b) => ORDER[a.level] - ORDER[b.level]);
  const fine = check.findings.filter((one) => one.level === "fine");
  const wrong = loud.filter((one) => one.level === "wrong").length;
  const shown = whole ? loud : loud.slice(0, SHOWN);
  return (
    <Card title={server.findings} more={server.findingsMore}>
      <p className="pad verdict">
        {wrong > 0 && <b>{server.wrong(wrong)} </b>}
        {loud.length === 0 && <b>{server.allWell}</b>}
        {loud.length > wrong && server.warnings(loud.length - wrong)}
      </p>
      <ul className="findings">
        {shown.map((one, i) => (
          <One key={`${one.what} ${one.flow} ${one.queue} ${i}`} found={one} />
        ))}
      </ul>
      {loud.length > shown.length && (
        <div className="foot">
          <Button look="small" onPress={() => setWhole(true)}>
            {server.showAll(loud.length)}
          </Button>
        </div>
      )}
      {fine.length > 0 && (
        <details className="fine">
          <summary>{server.fine(fine.length)}</summary>
          <ul className="findings">
            {fine.map((one, i) => (
              <One key={i} found={one} />
            ))}
          </ul>
        </details>
      )}
    </Card>
  );
}

function One({ found }: { found: Found }) {
  const server = text.server;
  const remedy = found.level === "fine" ? undefined : server.remedies[found.what];
  const link = found.level === "fine" ? null : linkOf(found);
  return (
    <li>
      <State shape={SHAPES[found.level]} word={server.levels[found.level]} />
      <div>
        <p>
          <bdi>{found.sentence}</bdi>
        </p>
        {remedy && (
          <p className="sub">
            {server.doThis} {remedy}
          </p>
        )}
      </div>
      {link && (
        <LinkButton to={link.to} look="small">
          {link.text}
        </LinkButton>
      )}
    </li>
  );
}

function linkOf({ what, flow, queue }: Found): { text: string; to: string } | null {
  const { go } = text.server;
  if (what === "dead" || what === "blocked" || what === "stuck")
    return { text: go.workers, to: withParams("workers", { flow, queue }) };
  if (what === "limited" || what === "held") return { text: go.limits, to: withParams("limits", { flow }) };
  if (what === "orphans" || what === "failing")
    return { text: go.jobs, to: jobsAt(`flow:${flow} queue:${queue}${what === "failing" ? " state:failed" : ""}`) };
  return flow == null ? null : { text: go.board, to: at("flows", flow) };
}
