/** A search that cannot be read: why, and what it may have meant. */
import { useTopic, type FlowRow } from "@typed-flows/react";
import { Sentence } from "../../parts/Sentence";
import * as text from "../../text";
import { Counted } from "./Nothing";
import { corrections } from "./query";

const said = text.jobs;

export function Unread({ query, flow, why }: { query: string; flow: string | null; why: string }) {
  const { state } = useTopic<{ items: FlowRow[] }>("flows");
  const known = state?.items.find((one) => one.name === flow);
  const meant = known ? corrections(query, known.lookups) : [];
  return (
    <>
      <Sentence look="bad" head={said.refused}>
        {why}
      </Sentence>
      {known && meant.length > 0 && (
        <div className="filters">
          <span className="dim">{said.meant}</span>
          {meant.map((one) => (
            <Counted key={one} label={one} query={one} flow={known.name} />
          ))}
        </div>
      )}
    </>
  );
}
