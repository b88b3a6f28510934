import { ApolloProvider } from "@apollo/client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./App.js";
import { createServices, ServicesContext } from "./services.js";

import "./styles/page.css";

const services = createServices(location.origin);
const container = document.getElementById("page");
if (container !== null) {
  createRoot(container).render(
    <StrictMode>
      <ServicesContext value={services}>
        <ApolloProvider client={services.client}>
          <App />
        </ApolloProvider>
      </ServicesContext>
    </StrictMode>,
  );
}
