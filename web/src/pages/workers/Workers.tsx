import type { PageProps } from "..";
import { Title } from "../../parts/Title";

export default function Workers({ args }: PageProps) {
  return <Title title={Object.values(args).join(" ") || "Workers"} />;
}
