import { ApolloProvider } from "@apollo/client/react";

import { DeletedDialog } from "./account/DeletedDialog.js";
import { DeletionPage } from "./account/DeletionPage.js";
import { App } from "./App.js";
import { useWatched } from "./parts/use-watched.js";
import { ServicesContext } from "./services.js";
import type { Services } from "./services.js";
import type { Sessions } from "./sessions.js";
import { SessionsContext } from "./sessions-context.js";
import { SignInDialog } from "./sign-in/SignInDialog.js";
import { SignInPage } from "./sign-in/SignInPage.js";

/** The page of whoever uses it now. With the services of the next person everything in it is made anew. */
export function Page({ sessions }: { sessions: Sessions }) {
  const { number, services, receipt } = useWatched(sessions.current);
  return (
    <SessionsContext value={sessions}>
      <ServicesContext key={number} value={services}>
        <ApolloProvider client={services.client}>
          <Door services={services} />
          {receipt !== null && <DeletedDialog receipt={receipt} />}
        </ApolloProvider>
      </ServicesContext>
    </SessionsContext>
  );
}

function Door({ services: { signIn, deletion } }: { services: Services }) {
  const state = useWatched(signIn.state);
  const deleting = useWatched(deletion.state);
  if (deleting !== null) return <DeletionPage state={deleting} />;
  if (state === "asked") return <SignInPage />;
  return (
    <>
      <App />
      {state === "asked-again" && <SignInDialog />}
    </>
  );
}
