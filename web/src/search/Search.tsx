/** The search: words of a query as tokens, with completion; the query is the address of the list of jobs. */
import type { FlowRow, Live } from "@typed-flows/react";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { Icon } from "../parts/Icon";
import { jobsAt, navigate, useRoute } from "../route";
import * as text from "../text";
import { attributeOf, complete, flowOf } from "./completion";
import { Offers } from "./Offers";
import { placeOf } from "./place";
import { Token } from "./Token";
import { useQueues, useValues } from "./useKnown";
import { isId, withFlow, wordsOf } from "./words";

interface Props {
  flows: readonly Live<FlowRow>[];
  flow: string | null;
}

export function Search({ flows, flow }: Props) {
  const said = useRoute().params.get("q") ?? "";
  const [words, setWords] = useState<readonly string[]>(() => wordsOf(said));
  const [draft, setDraft] = useState("");
  const [open, setOpen] = useState(false);
  /** The offer that is chosen; null: the one that Enter takes by itself, if any. */
  const [chosen, setChosen] = useState<number | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  useEffect(() => {
    setWords(wordsOf(said));
    setDraft("");
  }, [said]);

  const named = words.find((word) => word.startsWith("flow:"))?.slice(5) ?? flow;
  const row = flows.find((one) => one.name === named);
  const of = row ? [row] : flows;
  const queues = useQueues(row?.name ?? null, open);
  const values = useValues(open ? attributeOf(draft, of) : null, words.join(" "));
  const { found, first } = complete(draft, { flows, of, queues, values });
  const at = chosen ?? (first && found.length > 0 ? 0 : -1);

  const write = (next: string) => {
    const parts = wordsOf(next);
    const over = /\s$/.test(next) && wordsOf(`${next}x`).length > parts.length; // no quotation mark is open
    const whole = parts.length - (over ? 0 : 1);
    if (whole > 0) setWords([...words, ...parts.slice(0, whole)]);
    setDraft(whole > 0 ? (parts[whole] ?? "") : next.trimStart());
    setChosen(null);
    setOpen(true);
  };
  const take = (word: string) => write(word.endsWith(":") ? word : `${word} `);
  const change = (n: number) => {
    setDraft(words[n] ?? "");
    setWords(words.toSpliced(n, 1));
    setOpen(true);
    input.current?.focus();
  };
  const go = () => {
    const all = [...words, ...wordsOf(draft)];
    setOpen(false);
    const [id] = all;
    if (id && all.length === 1 && isId(id))
      void placeOf(
        id,
        flows.map((one) => one.name),
      ).then(navigate, () => {});
    else navigate(jobsAt(withFlow(all, flow ?? flowOf(all, { of, queues }))));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (!open) setOpen(true);
      else if (found.length > 0) setChosen((at + step + found.length + (at < 0 && step < 0 ? 1 : 0)) % found.length);
    } else if (event.key === "Enter" && open && found[at]) {
      event.preventDefault();
      take(found[at].word);
    } else if (event.key === "Backspace" && draft === "" && words.length > 0) {
      event.preventDefault();
      change(words.length - 1);
    } else if (event.key === "Escape") {
      if (open && found.length > 0) setOpen(false);
      else input.current?.blur();
    }
  };
  return (
    <form
      className="search"
      role="search"
      onSubmit={(event) => (event.preventDefault(), go())}
      onBlur={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget)) setOpen(false);
      }}
    >
      <Icon name="search" />
      <div className="words">
        {words.map((word, n) => (
          <Token key={`${n} ${word}`} word={word} onChange={() => change(n)} />
        ))}
        <input
          id="search"
          ref={input}
          role="combobox"
          aria-label={text.search.label}
          aria-autocomplete="list"
          aria-expanded={open && found.length > 0}
          aria-controls={list}
          aria-activedescendant={open && at >= 0 ? `${list}-${at}` : undefined}
          autoComplete="off"
          spellCheck={false}
          placeholder={words.length > 0 ? text.search.more : text.search.hint}
          value={draft}
          onFocus={() => setOpen(true)}
          onClick={() => setOpen(true)}
          onChange={({ target }) => write(target.value)}
          onKeyDown={onKeyDown}
        />
      </div>
      <kbd aria-hidden="true">/</kbd>
      <Offers id={list} open={open} found={found} at={at} onTake={take} />
    </form>
  );
}
