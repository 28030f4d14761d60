import { duration, msOf, timeFull, useNow, type Instant } from "../format";
import * as text from "../text";

/** How long ago something was, anew each second; its title has the instant. */
export function Ago({ at, plain = false }: { at: Instant; plain?: boolean }) {
  const now = useNow();
  const age = now - msOf(at);
  const said = duration(Math.max(0, Math.abs(age) < 1000 ? Math.abs(age) : Math.round(Math.abs(age) / 1000) * 1000));
  return (
    <time dateTime={new Date(msOf(at)).toISOString()} title={timeFull(at)}>
      {plain ? said : age < -500 ? text.parts.in(said) : text.parts.ago(said)}
    </time>
  );
}
