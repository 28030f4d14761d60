import type { PageProps } from "..";
import { Title } from "../../parts/Title";

export default function Limits({ args }: PageProps) {
  return <Title title={Object.values(args).join(" ") || "Limits"} />;
}
