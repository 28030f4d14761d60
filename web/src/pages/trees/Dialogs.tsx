/** The dialogs of a tree, one at a time. */
import { useState } from "react";
import { act } from "../../ask";
import { shortId } from "../../format";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { useToast } from "../../parts/Toast";
import { useAct } from "../../parts/useActing";
import { navigate } from "../../route";
import * as text from "../../text";
import { TextField, Wrong } from "../runs/dialogs/fields";
import { word, wordsOf } from "../runs/query";
import type { Tree } from "./stand";

export type Which = "cancel" | "destroy" | "rename";

interface Props {
  tree: Tree;
  onClose: () => void;
}

export function Dialogs({ which, ...props }: Props & { which: Which }) {
  switch (which) {
    case "cancel":
      return <Cancel {...props} />;
    case "destroy":
      return <Destroy {...props} />;
    case "rename":
      return <Rename {...props} />;
  }
}

function Cancel({ tree, onClose }: Props) {
  const said = text.tree.cancelDialog;
  const toast = useToast();
  const [reason, setReason] = useState("");
  const cancel = useAct(async () => {
    await act("trees.cancel", { id: tree.id, app: tree.app, ...(reason && { reason }) });
    toast(said.done);
    onClose();
  });
  return (
    <Dialog
      title={said.title}
      onClose={onClose}
      acts={
        <>
          <Button onPress={onClose}>{said.keep}</Button>
          <Button look="bad" icon="x" busy={cancel.busy} onPress={cancel.run}>
            {said.act}
          </Button>
        </>
      }
    >
      <p>{said.says}</p>
      <TextField label={said.reason} type={said.optional} value={reason} onChange={setReason} />
      <Wrong what={cancel.wrong} />
    </Dialog>
  );
}

function Destroy({ tree, onClose }: Props) {
  const said = text.tree.destroyDialog;
  const toast = useToast();
  const destroy = useAct(async () => {
    await act("trees.destroy", { id: tree.id, app: tree.app });
    toast(said.done);
    navigate("trees");
  });
  return (
    <Dialog
      title={said.title}
      onClose={onClose}
      acts={
        <>
          <Button onPress={onClose}>{said.keep}</Button>
          <Button look="bad" icon="bin" busy={destroy.busy} onPress={destroy.run}>
            {said.act}
          </Button>
        </>
      }
    >
      <p>
        <bdi>{said.says(tree.name || shortId(tree.id))}</bdi>
      </p>
      <Wrong what={destroy.wrong} />
    </Dialog>
  );
}

function Rename({ tree, onClose }: Props) {
  const said = text.tree.renameDialog;
  const toast = useToast();
  const [name, setName] = useState(tree.name);
  const [labels, setLabels] = useState(() =>
    Object.entries(tree.labels)
      .map(([label, value]) => word(label, value).replace(":", "="))
      .join(" "),
  );
  const save = useAct(async () => {
    const read: Record<string, string> = {};
    for (const [whole, label, value] of wordsOf(labels.replace(/([^\s="]+)=/g, "$1:"))) {
      if (!label) throw new Error(said.wrong(whole));
      read[label] = value;
    }
    await act("trees.update", { id: tree.id, app: tree.app, name, labels: read });
    toast(said.done);
    onClose();
  });
  return (
    <Dialog
      title={said.title}
      onClose={onClose}
      acts={
        <Button look="pri" icon="save" busy={save.busy} onPress={save.run}>
          {said.act}
        </Button>
      }
    >
      <TextField label={said.name} value={name} onChange={setName} />
      <TextField label={said.labels} help={said.labelsHelp} value={labels} onChange={setLabels} />
      <Wrong what={save.wrong} />
    </Dialog>
  );
}
