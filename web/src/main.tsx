/** Starts the dashboard. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { MeProvider } from "./me";
import { ToastProvider } from "./parts/Toast";
import "./style/index.css";
import { applyTheme } from "./theme";
import { takeToken } from "./token";

applyTheme();
await takeToken();
createRoot(document.getElementById("app")!).render(
  <StrictMode>
    <MeProvider>
      <ToastProvider>
        <App />
      </ToastProvider>
    </MeProvider>
  </StrictMode>,
);
