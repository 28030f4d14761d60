import { Card } from "../../parts/Card";
import { Command } from "../../parts/Command";
import { Title } from "../../parts/Title";
import * as text from "../../text";

const t = text.board.empty;

/** Says what would be here, and what brings it. */
export function NoFlows() {
  return (
    <div className="stack-page">
      <Title title={t.head} />
      <Card>
        <div className="hello">
          <p className="sub">{t.what}</p>
          <h2 className="strong">{t.demo}</h2>
          <Command line="flows demo" />
          <h2 className="strong">{t.own}</h2>
          <p className="sub">{t.ownWhat}</p>
          <pre className="code first-flow" tabIndex={0}>
            {t.code}
          </pre>
          <h2 className="strong">{t.watch}</h2>
          <Command line="flows top" />
        </div>
      </Card>
    </div>
  );
}
