import type { RefObject } from "react";
import { Caps } from "../keys/Caps";
import { Icon } from "../parts/Icon";
import { Mark } from "../parts/State";
import * as text from "../text";
import { marked } from "./find";
import { type Hit, SECTIONS } from "./hits";

interface Props {
  id: string;
  page: string;
  hits: readonly Hit[];
  words: readonly string[];
  at: number;
  /** Where the chosen one is, so that it can be brought into view. */
  chosen: RefObject<HTMLElement | null>;
  onPerform: (hit: Hit, beside: boolean) => void;
}

/** What was found, by section. */
export function Found({ id, page, hits, words, at, chosen, onPerform }: Props) {
  const { sections } = text.palette;
  const option = (hit: Hit) => {
    const n = hits.indexOf(hit);
    return (
      <div
        key={n}
        id={`${id}-${n}`}
        role="option"
        aria-selected={n === at}
        aria-disabled={hit.off ? true : undefined}
        ref={n === at ? (chosen as RefObject<HTMLDivElement | null>) : undefined}
        onClick={(event) => onPerform(hit, event.metaKey || event.ctrlKey)}
      >
        {hit.shape ? <Mark shape={hit.shape} /> : hit.icon ? <Icon name={hit.icon} /> : <span />}
        <span className="cut">
          <bdi>{marked(hit.title, words).map((part, n) => (n % 2 === 1 ? <mark key={n}>{part}</mark> : part))}</bdi>{" "}
          {hit.note && (
            <small>
              <bdi>{hit.note}</bdi>
            </small>
          )}
          {hit.off && <span className="no">· {text.palette.notNow(hit.off)}</span>}
        </span>
        <span className="r">
          {hit.right}
          {hit.keys && <Caps keys={hit.keys} />}
        </span>
      </div>
    );
  };
  return (
    <div className="cmds" id={id} role="listbox" aria-label={text.palette.found}>
      {SECTIONS.map((section) => {
        const own = hits.filter((hit) => hit.section === section);
        if (own.length === 0) return null;
        const says = section === "here" ? sections.here(page) : sections[section];
        return (
          <div key={section} role="group" aria-label={says}>
            <div className="section" aria-hidden="true">
              {says}
            </div>
            {own.map(option)}
          </div>
        );
      })}
      {hits.length === 0 && (
        <div className="none" role="option" aria-disabled="true" aria-selected="false">
          {text.palette.none}
        </div>
      )}
    </div>
  );
}
