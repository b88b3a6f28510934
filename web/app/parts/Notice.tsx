import type { ReactNode } from "react";

/** Says what went wrong and what can be done. Read aloud at once. */
export function Notice({ children, actions }: { children: ReactNode; actions?: ReactNode }) {
  return (
    <div className="notice" role="alert">
      <p>{children}</p>
      {actions !== undefined && <div className="actions">{actions}</div>}
    </div>
  );
}
