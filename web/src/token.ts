/** The token that `flows web --token` has put behind the `#` of the address that it prints. */
import { post } from "./ask";

/** Logs in by it, and takes it out of the address first; where it is none of the server's, the form asks for another. */
export async function takeToken(): Promise<void> {
  const token = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (!token) return;
  history.replaceState(null, "", location.pathname + location.search);
  await post("login", { token }).catch(() => {});
}
