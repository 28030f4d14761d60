/** Light or dark: as the system says, until somebody chooses. */
const KEY = "flows.theme";
export type Theme = "light" | "dark";
const dark = matchMedia("(prefers-color-scheme: dark)");

export const theme = (): Theme => {
  const chosen = stored();
  return chosen ?? (dark.matches ? "dark" : "light");
};

function stored(): Theme | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null; // a browser that keeps nothing
  }
}

export function applyTheme() {
  document.documentElement.dataset.theme = theme();
}

export function setTheme(value: Theme) {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // it holds until the page is loaded again
  }
  document.documentElement.dataset.theme = value;
}

export const toggleTheme = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");

dark.addEventListener("change", applyTheme);
