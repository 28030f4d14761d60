import { Component, type ReactNode } from "react";
import { text } from "../text";
import { Sentence } from "./Sentence";
import { Button } from "./Button";

/** Shows what went wrong on a page in its place; the frame and all other pages go on. */
export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <Sentence
        look="bad"
        head={text.parts.crashed}
        acts={
          <Button icon="retry" onPress={() => location.reload()}>
            {text.parts.reload}
          </Button>
        }
      >
        <bdi>{error.message.slice(0, 300)}</bdi>
      </Sentence>
    );
  }
}
