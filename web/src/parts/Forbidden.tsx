import { useMe } from "../me";
import * as text from "../text";
import { Command } from "./Command";
import { Title } from "./Title";

/** In place of a page that is for operators: what it is, why it is not shown, and who can change that. */
export function Forbidden({ title, what }: { title: string; what: string }) {
  const me = useMe();
  return (
    <>
      <Title title={title} />
      <div className="hello">
        <h2>{text.nothing.forbidden}</h2>
        <p className="sub">
          <bdi>{text.nothing.forbiddenSays(me.name, me.role, what)}</bdi>
        </p>
        {me.login && (
          <>
            <p className="sub">{text.nothing.forbiddenMore}</p>
            <Command line={text.nothing.forbiddenCommand(me.name)} />
          </>
        )}
      </div>
    </>
  );
}
