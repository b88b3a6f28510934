import { useLayoutEffect, useRef } from "react";

const maxLength = 100_000;
const maxHeightPx = 200;

interface Props {
  text: string;
  label: string;
  placeholder: string;
  onText: (text: string) => void;
  onSend: () => void;
}

/** Grows with what is written. Enter sends, Shift and Enter begin a new line. */
export function TextBox({ text, label, placeholder, onText, onSend }: Props) {
  const box = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(maxHeightPx, element.scrollHeight)}px`;
  }, [text]);
  return (
    <textarea
      ref={box}
      rows={1}
      dir="auto"
      value={text}
      maxLength={maxLength}
      aria-label={label}
      placeholder={placeholder}
      onChange={(event) => onText(event.currentTarget.value)}
      onKeyDown={(event) => {
        // While a character is put together (Chinese, Japanese, accents), Enter belongs to that.
        if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
        event.preventDefault();
        onSend();
      }}
    />
  );
}
