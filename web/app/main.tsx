import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { Page } from "./Page.js";
import { Sessions } from "./sessions.js";

import "./styles/page.css";

const sessions = new Sessions(location.origin);
const container = document.getElementById("page");
if (container !== null) {
  createRoot(container).render(
    <StrictMode>
      <Page sessions={sessions} />
    </StrictMode>,
  );
}
