import { useId, useRef, useState } from "react";
import type { ReactNode, RefObject } from "react";

import { Notice } from "../parts/Notice.js";
import { useSigningIn } from "./use-signing-in.js";

/** Takes a token or key. `children` stand beside the button that signs in. */
export function SignInForm({ children }: { children?: ReactNode }) {
  const field = useRef<HTMLInputElement>(null);
  const { busy, problem, signIn } = useSigningIn();
  const id = useId();
  const submit = async () => {
    await signIn(field.current?.value ?? "");
    // Still there: it was not taken. What is wrong in it is often one end of it.
    field.current?.select();
    field.current?.focus();
  };
  return (
    <form
      className="sign-in-form"
      aria-label="Sign in"
      aria-busy={busy}
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <label htmlFor={`${id}-field`}>Token or key</label>
      <CredentialField id={id} field={field} isWrong={problem !== null} />
      <p id={`${id}-hint`} className="remark">
        A token of your organisation, or a key of this server (it begins with <code>parley_</code>): whoever
        runs the server gives it to you. It stays in the memory of this tab, and is gone when you close or
        reload it.
      </p>
      {problem !== null && <Notice>{problem}</Notice>}
      <div className="actions">
        {children}
        {/* Not `disabled`, which would take the focus away. */}
        <button type="submit" className="primary" aria-disabled={busy}>
          {busy ? "Signing in…" : "Sign in"}
        </button>
      </div>
    </form>
  );
}

interface FieldProps {
  id: string;
  field: RefObject<HTMLInputElement | null>;
  isWrong: boolean;
}

/** React knows nothing of what is in it: the value of a field that it controls is written into the page, too. */
function CredentialField({ id, field, isWrong }: FieldProps) {
  const [isShown, setShown] = useState(false);
  return (
    <div className="credential">
      <input
        ref={field}
        id={`${id}-field`}
        type={isShown ? "text" : "password"}
        autoFocus
        required
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        aria-describedby={`${id}-hint`}
        aria-invalid={isWrong}
      />
      <button
        type="button"
        aria-pressed={isShown}
        aria-label="Show the token or key"
        onClick={() => setShown(!isShown)}
      >
        {isShown ? "Hide" : "Show"}
      </button>
    </div>
  );
}
