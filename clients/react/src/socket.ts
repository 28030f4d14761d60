/** One connection after the other: each comes when the last has gone, sooner or later as the reason asks for. */
import {
  type ClientMessage,
  GOING,
  NO_TOKEN,
  type Parse,
  readMessage,
  type ServerMessage,
  SUBPROTOCOL,
} from "./protocol";

/**
 * `idle`: nothing is watched. `connecting`: for the first time. `open`. `offline`: it is cut, and comes back by itself.
 * `ended`: the server does not know any more who this is; it is still tried, since somebody may log in.
 */
export type Status = "idle" | "connecting" | "open" | "offline" | "ended";

export interface SocketOptions {
  readonly url: string;
  /** Asked at each connection and when a token ends; null: there is none, the session has ended. */
  getToken?: (() => Promise<string | null>) | undefined;
  /** Reads what comes, in place of `JSON.parse`, which rounds integers beyond 2⁵³. */
  readonly parse?: Parse | undefined;
}

interface Hearer {
  /** The connection takes messages, and knows nothing of what was watched on the last one. */
  opened(): void;
  heard(message: ServerMessage): void;
  /** The status may have changed. */
  moved(): void;
}

/** Between connections, in ms. */
const FIRST_PAUSE = 250;
/** A connection that lasted so long was a good one: the next is tried soon. */
const LASTED = 10_000;
/** A connection that has not said hello by then is none. */
const HELLO_WITHIN = 10_000;
/** So many beats of silence, and the server is taken for gone: browsers notice a dead network late or never. */
const SILENT_BEATS = 3;

/** How long to wait after so many tries, in ms: twice as long each time, up to 30 s, and not all at once. */
export const pauseOf = (first: number, tries: number): number =>
  Math.min(30_000, first * 2 ** tries) * (0.5 + Math.random() / 2);

export class ReconnectingSocket {
  status: Status = "idle";
  /** Whether it takes messages. */
  ready = false;
  #socket: WebSocket | null = null;
  #wanted = false;
  #tries = 0;
  #openedAt = 0;
  /** Whether the last connection was closed for want of a token; twice in a row means that the session has ended. */
  #refused = false;
  #next: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  /** How long it may be silent, in ms. */
  #patience = HELLO_WITHIN;

  constructor(
    private readonly options: SocketOptions,
    private readonly hearer: Hearer,
  ) {}

  /** Connect, and stay connected. */
  open(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#listen("add");
    this.#move("connecting");
    this.#connectIn(0);
  }

  /** Disconnect; `open` connects anew. */
  close(): void {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#listen("remove");
    clearTimeout(this.#next);
    this.#drop();
    this.#tries = 0;
    this.#refused = false;
    this.#move("idle");
  }

  /** Try at once, where the next try is still to come. */
  retry = (): void => {
    if (!this.#wanted || this.#socket !== null) return;
    this.#tries = 0;
    this.#connectIn(0);
  };

  send(message: ClientMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #seen = (): void => {
    if (document.visibilityState === "visible") this.retry();
  };

  #listen(how: "add" | "remove"): void {
    globalThis[`${how}EventListener`]?.("online", this.retry);
    globalThis.document?.[`${how}EventListener`]("visibilitychange", this.#seen);
  }

  #connectIn(ms: number): void {
    clearTimeout(this.#next);
    this.#next = setTimeout(() => this.#connect(), ms);
  }

  #connect(): void {
    if (this.#socket !== null) return;
    const url = new URL(this.options.url, globalThis.document?.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url, SUBPROTOCOL);
    this.#socket = socket;
    this.#patience = HELLO_WITHIN;
    this.#watchSilence(socket);
    socket.onmessage = ({ data }) => {
      const message = readMessage(String(data), this.options.parse);
      this.#watchSilence(socket);
      if (message !== null) void this.#take(socket, message);
    };
    socket.onclose = ({ code }) => this.#lost(code);
  }

  async #take(socket: WebSocket, message: ServerMessage): Promise<void> {
    switch (message.type) {
      case "hello":
        this.#patience = SILENT_BEATS * message.beat;
        this.#watchSilence(socket);
        if (message.auth === "token" && !(await this.#authenticate(socket))) return;
        this.#openedAt = Date.now();
        this.ready = true;
        if (message.auth === "none") this.#refused = false;
        if (!this.#refused) this.#move("open");
        this.hearer.opened();
        break;
      case "tokenEnds":
        if (this.options.getToken !== undefined) await this.#authenticate(socket);
        break;
      default:
        if (!this.ready) return;
        // What is said after a token was refused shows that this one is taken.
        this.#refused = false;
        this.#move("open");
        this.hearer.heard(message);
    }
  }

  /** Says who this is, by a new token; where there is none, the connection is given up. */
  async #authenticate(socket: WebSocket): Promise<boolean> {
    const token = await this.options.getToken?.().catch(() => undefined);
    if (this.#socket !== socket) return false;
    if (typeof token === "string") {
      this.send({ type: "authenticate", token });
      return true;
    }
    // Undefined with a getToken: it could not be asked, which says nothing of the session.
    this.#lost(token === null || this.options.getToken === undefined ? NO_TOKEN : undefined);
    return false;
  }

  #watchSilence(socket: WebSocket): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#socket === socket && this.#lost(), this.#patience);
  }

  #lost(code?: number): void {
    this.#drop();
    const wasOpen = this.status === "open";
    if (wasOpen && Date.now() - this.#openedAt >= LASTED) this.#tries = 0;
    const refused = code === NO_TOKEN || this.#refused;
    this.#move(refused && !wasOpen ? "ended" : "offline");
    if (refused && wasOpen) {
      // Rights have changed, or the token has ended: with a new one, all may be well.
      this.#refused = true;
      return this.#connectIn(0);
    }
    this.#connectIn(code === GOING ? Math.random() * 5000 : pauseOf(FIRST_PAUSE, this.#tries++));
  }

  #drop(): void {
    clearTimeout(this.#silence);
    this.ready = false;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #move(status: Status): void {
    if (status === this.status) return;
    this.status = status;
    this.hearer.moved();
  }
}
