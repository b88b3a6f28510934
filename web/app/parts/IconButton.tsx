import type { ButtonHTMLAttributes } from "react";

import { Icon } from "./Icon.js";
import type { IconName } from "./Icon.js";

type Props = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "aria-label" | "title"> & {
  icon: IconName;
  /** What it does, for people who see no icons and for those who wonder. */
  label: string;
};

export function IconButton({ icon, label, className = "", ...props }: Props) {
  return (
    <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...props}>
      <Icon name={icon} />
    </button>
  );
}
