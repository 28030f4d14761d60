/** Asks for a token, for which the server gives a cookie. */
import { useState } from "react";
import { post, Problem } from "../../ask";
import { Button } from "../../parts/Button";
import { text } from "../../text";

export function Login({ onDone }: { onDone: () => void }) {
  const [token, setToken] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const enter = async () => {
    try {
      await post("login", { token: token.trim() });
      onDone();
    } catch (error) {
      setWrong(error instanceof Problem ? error.detail : String(error));
    }
  };
  return (
    <main className="login">
      <form onSubmit={(event) => (event.preventDefault(), void enter())}>
        <h1>{text.login.title}</h1>
        <label htmlFor="token">{text.login.token}</label>
        <input
          id="token"
          className="inp"
          type="password"
          autoComplete="current-password"
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
        {wrong && (
          <p className="fault" role="alert">
            {wrong}
          </p>
        )}
        <Button look="pri" onPress={() => void enter()}>
          {text.login.enter}
        </Button>
      </form>
    </main>
  );
}
