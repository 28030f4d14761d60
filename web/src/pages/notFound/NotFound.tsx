/** Where no page has the address: says so, and which pages there are. */
import { entries } from "..";
import { Button, LinkButton } from "../../parts/Button";
import { Icon } from "../../parts/Icon";
import { Link } from "../../parts/Link";
import { Title } from "../../parts/Title";
import { useRoute } from "../../route";
import * as text from "../../text";

export default function NotFound() {
  const { path } = useRoute();
  return (
    <div className="stack nothing">
      <Title title={text.nothing.title} />
      <p>
        <bdi>{text.nothing.says(path.slice(0, 300))}</bdi>
      </p>
      <p className="sub">{text.nothing.instead}</p>
      <ul className="places">
        {entries.map((entry) => (
          <li key={entry.name}>
            <Link to={entry.to}>
              <Icon name={entry.icon} />
              {entry.title}
            </Link>
          </li>
        ))}
      </ul>
      <div className="gap">
        <LinkButton to="" look="pri" icon="board">
          {text.nothing.home}
        </LinkButton>
        <Button icon="back" onPress={() => history.back()}>
          {text.nothing.back}
        </Button>
      </div>
    </div>
  );
}
