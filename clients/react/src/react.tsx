/** A provider with one connection for all below it, and hooks that draw what changes. */
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useSyncExternalStore,
} from "react";
import { type Connection, FlowsClient, IDLE } from "./client";
import { NOTHING, type Topic } from "./topic";
import { ENGLISH, type Words, WordsContext } from "./words";

const Context = createContext<FlowsClient | null>(null);

export interface FlowsProviderProps {
  /** Of `/live`, relative to the page; another one makes another connection. */
  readonly url: string;
  /** Returns a fresh token, for pages of another site; null: the session has ended. */
  readonly getToken?: () => Promise<string | null>;
  /** Reads what comes, in place of `JSON.parse`, which rounds integers beyond 2⁵³; another one makes another connection. */
  readonly parse?: (text: string) => unknown;
  /** What the components say, where it is another thing than `ENGLISH`. */
  readonly words?: Partial<Words>;
  readonly children?: ReactNode;
}

export function FlowsProvider({ url, getToken, parse, words, children }: FlowsProviderProps): ReactNode {
  const client = useMemo(() => new FlowsClient({ url, parse }), [url, parse]);
  useEffect(() => {
    client.options.getToken = getToken; // a new function in each render is not a new connection
  }, [client, getToken]);
  useEffect(() => {
    client.open();
    return () => client.close();
  }, [client]);
  const said = useMemo(() => ({ ...ENGLISH, ...words }), [words]);
  return (
    <Context.Provider value={client}>
      <WordsContext.Provider value={said}>{children}</WordsContext.Provider>
    </Context.Provider>
  );
}

export function useFlowsClient(): FlowsClient {
  const client = useContext(Context);
  if (client === null) throw new Error("there is no <FlowsProvider url=…> above this component");
  return client;
}

/** Returns a topic as it is now, and draws again when it changes; null watches nothing. */
export function useTopic<T>(topic: string | null): Topic<T> {
  const client = useFlowsClient();
  // Were it another function in each render, each would stop watching and begin again.
  const subscribe = useCallback(
    (listener: () => void) => (topic === null ? () => {} : client.watch(topic, listener)),
    [client, topic],
  );
  return useSyncExternalStore(
    subscribe,
    () => (topic === null ? NOTHING : client.topic<T>(topic)),
    () => NOTHING,
  );
}

/** Returns how the connection is, and what can be done about it. */
export function useConnection(): Connection & Pick<FlowsClient, "setPaused" | "retry"> {
  const client = useFlowsClient();
  const subscribe = useCallback((listener: () => void) => client.listen(listener), [client]);
  const connection = useSyncExternalStore(
    subscribe,
    () => client.connection,
    () => IDLE,
  );
  const { setPaused, retry } = client;
  return useMemo(() => ({ ...connection, setPaused, retry }), [connection, setPaused, retry]);
}
