/** One action as a sentence, and all that was told of it where it is opened. */
import { memo, useId } from "react";
import { count, timeFull, timeOfDay } from "../../format";
import { Ago } from "../../parts/Ago";
import { Facts } from "../../parts/Facts";
import { Icon } from "../../parts/Icon";
import { Json } from "../../parts/Json";
import { LinkButton } from "../../parts/Button";
import { State } from "../../parts/State";
import { setParams } from "../../route";
import * as text from "../../text";
import { isRefused, links, type Entry } from "./entries";

export const Action = memo(function Action({ entry, open }: { entry: Entry; open: boolean }) {
  const id = useId();
  const audit = text.audit;
  return (
    <li className={`action ${open ? "open" : ""}`}>
      <time dateTime={entry.at} title={timeFull(entry.at)} className="mono dim">
        {timeOfDay(entry.at)}
      </time>
      <div className={`says ${isRefused(entry) ? "in-vain" : ""}`}>
        <p>
          <b>
            <bdi>{entry.caller}</bdi>
          </b>{" "}
          {text.actionSentence(entry).map((piece, i) =>
            typeof piece === "string" ? (
              piece
            ) : (
              <bdi key={i} className="mono val">
                {piece.value}
              </bdi>
            ),
          )}
        </p>
        <p className="dim">
          <Ago at={entry.at} />, {audit.vias[entry.via] ?? entry.via}
        </p>
      </div>
      <Came entry={entry} />
      <Links entry={entry} />
      <button
        type="button"
        className="btn quiet"
        aria-expanded={open}
        aria-controls={id}
        aria-label={audit.details}
        title={audit.details}
        onClick={() => setParams({ open: open ? null : entry.request })}
      >
        <Icon name={open ? "up" : "down"} />
      </button>
      {open && <Details id={id} entry={entry} />}
    </li>
  );
});

function Came({ entry }: { entry: Entry }) {
  const audit = text.audit;
  const n = entry.count == null ? null : <span className="dim">{audit.jobsOf(count(entry.count))}</span>;
  if (entry.word === "asked")
    return (
      <span className="came" title={audit.askedMore}>
        <State shape="waiting" word={audit.asked} />
      </span>
    );
  if (isRefused(entry) || entry.word === "broken")
    return (
      <span className="came">
        <State shape="failed" word={entry.word === "broken" ? audit.broken : audit.refused(entry.word)} />
      </span>
    );
  return (
    <span className="came">
      {n} <State shape="done" word={entry.word} />
    </span>
  );
}

function Links({ entry }: { entry: Entry }) {
  return (
    <span className="links">
      {links(entry).map((link) => (
        <LinkButton key={link.to} to={link.to} look="small">
          {link.text}
        </LinkButton>
      ))}
    </span>
  );
}

function Details({ id, entry }: { id: string; entry: Entry }) {
  const { facts } = text.audit;
  return (
    <div className="told" id={id}>
      <Facts
        of={[
          [facts.at, timeFull(entry.at)],
          [facts.operation, <span className="mono">{entry.operation}</span>],
          [facts.caller, <bdi>{entry.caller}</bdi>],
          [facts.role, entry.role],
          [facts.via, entry.via],
          entry.flow ? [facts.flow, <bdi>{entry.flow}</bdi>] : null,
          entry.about ? [facts.about, <bdi className="mono">{entry.about}</bdi>] : null,
          [facts.word, <bdi>{entry.word === "asked" ? text.audit.askedMore : entry.word}</bdi>],
          [facts.request, <bdi className="mono">{entry.request}</bdi>],
          [facts.given, <Json value={entry.given} />],
        ]}
      />
    </div>
  );
}
