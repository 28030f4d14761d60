/** The server that holds all of it: how it is, whose its memory is, what is wrong and what is slow. */
import { useTopic, type CheckView, type ServerView } from "@typed-flows/react";
import { useCallback, useEffect, useState } from "react";
import { ask, Problem, type Answer, type Reading } from "../../ask";
import { seconds } from "../../format";
import { useWhyNot } from "../../me";
import { Button } from "../../parts/Button";
import { Title } from "../../parts/Title";
import { useToast } from "../../parts/Toast";
import { useActing } from "../../parts/useActing";
import { Watched } from "../../parts/Watched";
import * as text from "../../text";
import { Figures } from "./Figures";
import { Findings } from "./Findings";
import { Keeping } from "./Keeping";
import { Memory } from "./Memory";
import { Slow } from "./Slow";

export default function Server() {
  const { state, awaySince } = useTopic<ServerView>("server");
  const memory = useAsked("server.memory");
  const slow = useAsked("server.slow");
  const acting = useActing();
  const whyNot = useWhyNot();
  const toast = useToast();
  const away = awaySince === null ? null : text.parts.redisAway;
  const repair = async () => {
    const found = await acting.run("server.repair", {});
    if (found) toast(text.server.repaired(found.word, found.count));
  };
  return (
    <div className="stack page">
      <Title
        title={text.server.title}
        sub={state && text.server.sub(state.version, state.mode, seconds(state.uptime))}
        acts={
          <>
            <Button
              icon="retry"
              off={away}
              busy={memory.busy || slow.busy}
              onPress={() => {
                memory.again();
                slow.again();
              }}
            >
              {text.server.measureAgain}
            </Button>
            <Button off={away ?? whyNot("server.repair")} busy={acting.busy} onPress={() => void repair()}>
              {text.server.repair}
            </Button>
          </>
        }
      />
      <Watched<ServerView> topic="server" rows={8}>
        {(state) => (
          <div className="stack">
            <Figures state={state} memory={memory.answer} />
            <div className="side wide">
              <div className="stack">
                <Watched<CheckView> topic="check" rows={5}>
                  {(check) => <Findings check={check} />}
                </Watched>
                <Slow slow={slow.answer} />
              </div>
              <div className="stack">
                <Memory memory={memory.answer} />
                <Keeping state={state} />
              </div>
            </div>
          </div>
        )}
      </Watched>
    </div>
  );
}

/** Asks an operation without params once, and again where that is wished. */
function useAsked<Name extends Reading & ("server.memory" | "server.slow")>(name: Name) {
  const [answer, setAnswer] = useState<Answer<Name> | null>(null);
  const [busy, setBusy] = useState(false);
  const toast = useToast();
  const again = useCallback(async () => {
    setBusy(true);
    try {
      setAnswer(await ask(name, {}));
    } catch (error) {
      if (!(error instanceof Problem && error.isAway)) toast(error instanceof Problem ? error.detail : String(error));
    }
    setBusy(false);
  }, [name, toast]);
  useEffect(() => void again(), [again]);
  return { answer, busy, again: () => void again() };
}
