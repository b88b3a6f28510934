import { Dialog } from "../parts/Dialog.js";
import { useSessions } from "../sessions-context.js";
import { SignInForm } from "./SignInForm.js";

/** Lies over the page, which stays as it is: what is written or recorded there goes on afterwards. */
export function SignInDialog() {
  const sessions = useSessions();
  return (
    <Dialog title="Sign in again">
      <p>
        What you signed in with is good no more. Sign in again to go on where you were; what you have written
        is kept.
      </p>
      <SignInForm>
        <button type="button" onClick={() => sessions.signOut()}>
          Sign out
        </button>
      </SignInForm>
    </Dialog>
  );
}
