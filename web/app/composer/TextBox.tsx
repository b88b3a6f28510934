import { useLayoutEffect, useRef } from "react";

const maxLength = 100_000;
const maxHeightPx = 200;

interface Props {
  text: string;
  /** Whether a sound goes with it. */
  hasSound: boolean;
  onText: (text: string) => void;
  onSend: () => void;
}

/** Grows with what is written. Enter sends, Shift and Enter begin a new line. */
export function TextBox({ text, hasSound, onText, onSend }: Props) {
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
      aria-label={hasSound ? "Words that go with the sound" : "Message"}
      placeholder={hasSound ? "What about this sound?" : "Write, or hold the mic"}
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
