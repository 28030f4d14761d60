/** Why the job is where it is, in a sentence, with what makes it go on and the facts. */
import type { ChildrenPage, ExplanationView, JobState, Live } from "@typed-flows/react";
import { useState } from "react";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Link } from "../../parts/Link";
import { Mark } from "../../parts/State";
import { jobAt } from "../../route";
import * as text from "../../text";
import { nameOf, Right } from "./Child";
import { Value } from "./Value";

const said = text.job;
/** So many children that have not ended are named. */
const MOST = 3;
const ENDED: readonly JobState[] = ["done", "failed", "cancelled"];
/** What Python would call, and what names a child: here there are a button and a link for it. */
const FOR_CODE = /retry_job|retry\(\)|explain that one/;

/** "it waits in …" → "It waits in …." */
const sentence = (words: string) =>
  `${words[0]?.toUpperCase() ?? ""}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;

interface Props {
  explanation: Live<ExplanationView>;
  state: JobState;
  children: Live<ChildrenPage> | null;
}

export function Explained({ explanation, state, children }: Props) {
  const [open, setOpen] = useState(false);
  const [head, ...rest] = explanation.sentence.split("; ");
  const facts = Object.entries(explanation.facts).filter(([, value]) => value != null && value !== "");
  const remedy = said.remedies[explanation.reason];
  return (
    <Card className={`explain of-${state}`} label={explanation.reason}>
      <Mark shape={state} />
      <div>
        <p className="big">
          <bdi>{sentence(head ?? "")}</bdi>
        </p>
        <ul>
          {rest
            .filter((one) => !FOR_CODE.test(one))
            .map((one) => (
              <li key={one}>
                <bdi>{sentence(one)}</bdi>
              </li>
            ))}
          {state === "children" && children && <Pending page={children} />}
          {remedy && (
            <li className="dim">
              <span>{remedy}</span>
            </li>
          )}
        </ul>
        {open && (
          <dl className="kv facts-of">
            {facts.map(([name, value]) => (
              <div key={name}>
                <dt>{said.fact(name)}</dt>
                <dd>
                  <Value value={value} />
                </dd>
              </div>
            ))}
          </dl>
        )}
      </div>
      <Button expanded={open} onPress={() => setOpen(!open)}>
        {open ? said.hideFacts : said.facts}
      </Button>
    </Card>
  );
}

/** The children for which it waits, each with what it does. */
function Pending({ page }: { page: Live<ChildrenPage> }) {
  const pending = page.jobs.filter((child) => !ENDED.includes(child.state));
  return (
    <>
      {pending.slice(0, MOST).map((child) => (
        <li key={child.id}>
          <Mark shape={child.state} />
          <span>
            <Link to={jobAt(child.flow, child.id)} className="mono strong">
              {nameOf(child)}
            </Link>{" "}
            <bdi>
              {said.child.does(text.states[child.state], [child.error_type, child.message].filter(Boolean).join(" · "))}
            </bdi>{" "}
            <Right of={child} />
          </span>
        </li>
      ))}
      {page.pending > MOST && pending.length >= MOST && <li>{said.child.more(page.pending - MOST)}</li>}
    </>
  );
}
