/** Asks for a token, for which the server gives a cookie. */
import { useId, useState } from "react";
import { post, Problem } from "../../ask";
import { Button } from "../../parts/Button";
import { Command } from "../../parts/Command";
import { useTabTitle } from "../../parts/Title";
import * as text from "../../text";

export function Login({ ended, onDone }: { ended: boolean; onDone: () => void }) {
  const [token, setToken] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const id = useId();
  const title = ended ? text.login.ended : text.login.title;
  useTabTitle(title);
  const enter = async (given: string) => {
    if (!given) return setWrong(text.login.empty);
    setBusy(true);
    setWrong(null);
    try {
      await post("login", { token: given });
      onDone();
    } catch (error) {
      setWrong(error instanceof Problem ? error.detail || text.parts.away : String(error));
      setBusy(false);
    }
  };
  return (
    <main className="login">
      <form className="card" onSubmit={(event) => (event.preventDefault(), void enter(token.trim()))}>
        <p className="brand">{text.frame.brand}</p>
        <h1>{title}</h1>
        <p className="sub">{ended ? text.login.again : text.login.says}</p>
        <label htmlFor={id}>{text.login.token}</label>
        <input
          id={id}
          className={`inp ${wrong ? "bad" : ""}`}
          type="password"
          autoComplete="current-password"
          spellCheck={false}
          autoFocus
          value={token}
          aria-invalid={wrong !== null}
          aria-describedby={wrong ? `${id}-wrong` : undefined}
          onChange={(event) => setToken(event.target.value)}
        />
        {wrong && (
          <p className="fault" role="alert" id={`${id}-wrong`}>
            {wrong}
          </p>
        )}
        <Button look="pri" busy={busy} onPress={() => void enter(token.trim())}>
          {busy ? text.login.checking : text.login.enter}
        </Button>
        <footer>
          <p className="dim">{text.login.hintSays}</p>
          <Command line={text.login.hint} />
          <p className="dim">{text.login.elsewhere}</p>
        </footer>
      </form>
    </main>
  );
}
