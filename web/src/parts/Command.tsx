import * as text from "../text";
import { Button } from "./Button";
import { copy } from "./copy";
import { useToast } from "./Toast";

/** A line for a terminal, to be copied. */
export function Command({ line }: { line: string }) {
  const toast = useToast();
  return (
    <span className="cmd">
      <code>{line}</code>
      <Button
        look="quiet"
        icon="copy"
        label={text.parts.copy}
        onPress={() => void copy(line).then((done) => toast(done ? text.parts.copied : text.parts.notCopied))}
      />
    </span>
  );
}
