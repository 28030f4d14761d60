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
import { type Connection, Core, IDLE, listenTo } from "./core";
import { setPaused } from "./still";
import { NOTHING, type Topic, topicOf, watchTopic } from "./topic";
import { type Words, WordsContext } from "./words";

const Context = createContext<Core | null>(null);

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
  const client = useMemo(() => new Core({ url, parse }), [url, parse]);
  useEffect(() => {
    client.options.getToken = getToken; // a new function in each render is not a new connection
  }, [client, getToken]);
  useEffect(() => {
    client.open();
    return () => client.close();
  }, [client]);
  return (
    <Context.Provider value={client}>
      <WordsContext.Provider value={words}>{children}</WordsContext.Provider>
    </Context.Provider>
  );
}

export function useFlowsClient(): Core {
  const client = useContext(Context);
  if (client === null) throw new Error("no <FlowsProvider> is above");
  return client;
}

/** Returns a topic as it is now, and draws again when it changes; null watches nothing. */
export function useTopic<T>(topic: string | null): Topic<T> {
  const client = useFlowsClient();
  // Were it another function in each render, each would stop watching and begin again.
  const subscribe = useCallback(
    (listener: () => void) => (topic === null ? () => {} : watchTopic(client, topic, listener)),
    [client, topic],
  );
  return useSyncExternalStore(
    subscribe,
    () => (topic === null ? NOTHING : topicOf<T>(client, topic)),
    () => NOTHING,
  );
}

/** Returns how the connection is, and what can be done about it. */
export function useConnection(): Connection & { setPaused: (paused: boolean) => void; retry: () => void } {
  const client = useFlowsClient();
  const subscribe = useCallback((listener: () => void) => listenTo(client, listener), [client]);
  const connection = useSyncExternalStore(
    subscribe,
    () => client.connection,
    () => IDLE,
  );
  return useMemo(() => {
    const { retry } = client;
    return { ...connection, setPaused: (paused: boolean) => setPaused(client, paused), retry };
  }, [connection, client]);
}
