/** Why the job is where it is, in a sentence, with what makes it go on and the facts. */
import type { ExplanationView, JobState, Live } from "@typed-flows/react";
import { useState } from "react";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Mark } from "../../parts/State";
import { text } from "../../text";
import { Value } from "./Value";

const said = text.job;

/** "it waits in …" → "It waits in …." */
const sentence = (words: string) =>
  `${words[0]?.toUpperCase() ?? ""}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;

export function Explained({ explanation, state }: { explanation: Live<ExplanationView>; state: JobState }) {
  const [open, setOpen] = useState(false);
  const [head, ...rest] = explanation.sentence.split("; ");
  const facts = Object.entries(explanation.facts).filter(([, value]) => value !== null && value !== "");
  return (
    <Card className={`explain of-${state}`} label={explanation.reason}>
      <Mark shape={state} />
      <div>
        <p className="big">
          <bdi>{sentence(head ?? "")}</bdi>
        </p>
        <ul>
          {rest.map((one) => (
            <li key={one}>
              <bdi>{sentence(one)}</bdi>
            </li>
          ))}
          {explanation.remedy && state !== "done" && (
            <li>
              {said.remedy} {explanation.remedy.replaceAll("`", "")}
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
