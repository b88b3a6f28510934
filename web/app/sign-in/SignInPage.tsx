import { SignInForm } from "./SignInForm.js";

/** All that is shown to somebody whom the server does not know. */
export function SignInPage() {
  return (
    <main className="lone-page">
      <h1>Sign in to Parley</h1>
      <SignInForm />
    </main>
  );
}
