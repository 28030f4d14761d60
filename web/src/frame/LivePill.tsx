/** Whether what is shown is live: pressed, the page stands still until it is pressed again. */
import { useConnection } from "@typed-flows/react";
import { duration, useNow } from "../format";
import * as text from "../text";

export function LivePill() {
  const { status, since, paused, setPaused } = useConnection();
  const now = useNow();
  if (status === "offline" || status === "ended")
    return (
      <span className="live off" role="status">
        <span className="beat" />
        {text.frame.reconnecting(duration(Math.max(0, now - since)))}
      </span>
    );
  return (
    <button
      type="button"
      className={`live ${paused ? "hold" : ""}`}
      aria-pressed={paused}
      title={paused ? text.frame.goOn : text.frame.standStill}
      onClick={() => setPaused(!paused)}
    >
      <span className="beat" />
      {paused ? text.frame.paused : status === "open" ? text.frame.live : text.frame.connecting}
    </button>
  );
}
