/** The search: words of a query, which is the address of the list of jobs. */
import { useEffect, useState } from "react";
import { Icon } from "../parts/Icon";
import { jobAt, jobsAt, navigate, useRoute } from "../route";
import { text } from "../text";

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

export function Search({ flow }: { flow: string | null }) {
  const { params } = useRoute();
  const said = params.get("q") ?? "";
  const [value, setValue] = useState(said);
  useEffect(() => setValue(said), [said]);
  return (
    <form
      className="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const query = value.trim();
        if (flow && UUID.test(query)) navigate(jobAt(flow, query));
        else navigate(jobsAt(flow && !/(^|\s)flow:/.test(query) ? `flow:${flow} ${query}`.trim() : query));
      }}
    >
      <Icon name="search" />
      <input
        id="search"
        type="search"
        aria-label={text.frame.search}
        placeholder={text.frame.searchHint}
        value={value}
        onChange={(event) => setValue(event.target.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}
