/** Which page an address shows, inside of the frame that all of them share. */
import { FlowsProvider } from "@typed-flows/react";
import { readJson } from "./exact";
import { Suspense } from "react";
import { Frame } from "./frame/Frame";
import { Login } from "./pages/login/Login";
import { useKnown } from "./me";
import { find } from "./pages";
import { Away } from "./parts/Away";
import { Bones } from "./parts/Bones";
import { Boundary } from "./parts/Boundary";
import { useRoute } from "./route";

export function App() {
  const { me, status, ended, ask } = useKnown();
  const route = useRoute();
  if (status === "asking") return <Bones rows={3} />;
  if (status === "nobody") return <Login ended={ended} onDone={ask} />;
  if (status === "away") return <Away />;
  const { page, args } = find(route.path);
  return (
    // Somebody else, or the same one who may do other things, watches by a connection of their own.
    <FlowsProvider key={`${me?.name} ${me?.role}`} url="live" parse={readJson}>
      <Frame page={page}>
        <Boundary key={route.path}>
          <Suspense fallback={<Bones rows={6} />}>
            <page.Component args={args} params={route.params} />
          </Suspense>
        </Boundary>
      </Frame>
    </FlowsProvider>
  );
}
