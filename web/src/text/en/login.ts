export const login = {
  title: "Who are you?",
  token: "Your token",
  enter: "Log in",
};
