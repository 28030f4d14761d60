/** The token behind the `#` of an address: no browser sends it, and here it is taken out of the address at once. */
const NAME = "#token=";

let found = "";
if (location.hash.startsWith(NAME)) {
  found = decodeURIComponent(location.hash.slice(NAME.length));
  history.replaceState(history.state, "", location.pathname + location.search);
}

/** Returns the token with which the page was opened, once; empty where there was none. */
export function takeToken(): string {
  const token = found;
  found = "";
  return token;
}
