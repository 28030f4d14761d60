import { Component, type ReactNode } from "react";
import * as text from "../text";
import { Button } from "./Button";
import { copy } from "./copy";
import { Title } from "./Title";

const SHOWN = 2_000;

/** Shows what went wrong on a page in its place; the frame and all other pages go on. */
export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };
  static getDerivedStateFromError(error: unknown) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    const told = `${location.href}\n${error.stack ?? error.message}`;
    return (
      <>
        <Title title={text.nothing.crashed} />
        <div className="say bad" role="alert">
          <p>{text.nothing.crashedSays}</p>
        </div>
        <div className="card">
          <p className="pad sub">{text.nothing.crashedTold}</p>
          {/* Focusable, so that a long line can be read by the keyboard. */}
          <pre className="code crash" tabIndex={0} aria-label={text.nothing.crashedTold}>
            <bdi>{told.slice(0, SHOWN)}</bdi>
          </pre>
        </div>
        <div className="gap">
          <Button look="pri" icon="retry" onPress={() => this.setState({ error: null })}>
            {text.nothing.again}
          </Button>
          <Button onPress={() => location.reload()}>{text.nothing.reload}</Button>
          <Button icon="copy" onPress={() => void copy(told)}>
            {text.nothing.copy}
          </Button>
        </div>
      </>
    );
  }
}
