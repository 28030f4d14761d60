/** What stands where nobody is known, where nothing is, and where something broke. */
export const login = {
  title: "Who are you?",
  ended: "Your login has ended",
  says: "Give the token that you were given: it is kept as a cookie of this browser for twelve hours, and stands in no address.",
  again: "Log in again: this page stays where it is.",
  token: "Your token",
  enter: "Log in",
  empty: "Give a token first.",
  checking: "It is looked up",
  hint: "flows web token NAME --role operator",
  hintSays: "Whoever runs the server makes one:",
  elsewhere: "Is this page part of another application? Then log in there, and load this page again.",
};

export const nothing = {
  title: "Nothing here",
  says: (path: string) => `No page has the address ${path || "/"}.`,
  instead: "There are:",
  back: "Go back",
  home: "To the flows",
  forbidden: "Not for you",
  forbiddenSays: (name: string, role: string, what: string) => `${name} is ${role}, and ${what} is for operators.`,
  forbiddenMore: "Whoever runs the server gives the role with the token:",
  forbiddenCommand: (name: string) => `flows web token ${name} --role operator`,
  crashed: "This page has a fault",
  crashedSays: "It is the page's own, and nothing of your jobs is touched by it. All other pages go on.",
  crashedTold: "What it says of it:",
  again: "Try again",
  reload: "Load the page anew",
  copy: "Copy what happened",
};
