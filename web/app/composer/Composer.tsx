import { useCallback, useLayoutEffect, useState } from "react";

import { checkSound, longestRecordingSeconds, prepareSound, UnusableSound } from "../audio/prepare.js";
import { unlockSound } from "../audio/live-playback.js";
import { heard } from "../conversation/heard.js";
import { IconButton } from "../parts/IconButton.js";
import { Notice } from "../parts/Notice.js";
import { useKeptFocus } from "../parts/use-kept-focus.js";
import { useServices } from "../services.js";
import { useSetting } from "../use-setting.js";
import { Attachment, AttachButton } from "./Attachment.js";
import { MicrophoneButton, RecordingTime } from "./MicrophoneButton.js";
import type { NewConversation } from "./outbox.js";
import { ReplyChoice } from "./ReplyChoice.js";
import { TextBox } from "./TextBox.js";
import { useDraft } from "./use-draft.js";
import { useMicrophone } from "./use-microphone.js";
import { modalitiesOf, useReplyKind } from "./use-reply-kind.js";
import { useSending } from "./use-sending.js";
import { useSoundDrop } from "./use-sound-drop.js";

interface Props {
  /** Null: the first message starts a conversation with `beginning`. */
  conversationId: string | null;
  beginning: NewConversation | null;
  /** Whether the conversation was begun here just now: whoever wrote its first message goes on writing. */
  goesOn?: boolean;
  /** Whether a turn runs, so that no other can begin. */
  running: boolean;
  onStop: () => void;
}

const plain: NewConversation = { instructions: "", voice: null };

/** Where the next message is made: written, spoken, or a sound file with or without words. */
export function Composer({ conversationId, beginning, goesOn = false, running, onStop }: Props) {
  const { outbox } = useServices();
  const setting = useSetting();
  const sending = useSending(conversationId);
  const [text, setText, putTextBack] = useDraft(conversationId, goesOn);
  const [file, setFile] = useState<File | null>(null);
  const [preparing, setPreparing] = useState(false);
  const [kind, setKind] = useReplyKind();
  const [problem, setProblem] = useState<string | null>(null);
  const isLeaving = preparing || sending !== null;
  const busy = isLeaving || running;
  const focus = useKeptFocus<HTMLFormElement>(nextFocus);
  useLayoutEffect(() => {
    if (goesOn) focus.ref.current?.querySelector("textarea")?.focus();
  }, [goesOn, focus.ref]);

  const send = async (sound: Blob | null) => {
    if (busy || (sound === null && text.trim() === "")) return;
    setProblem(null);
    // Whoever speaks on does not wait for an earlier answer any more: it must not begin by itself now.
    heard.end();
    unlockSound();
    // Sound may take a while to prepare: what is written or attached meanwhile belongs to the next message.
    setText("");
    setFile(null);
    setPreparing(true);
    try {
      const prepared = sound === null ? null : await prepareSound(sound, setting);
      const draft = { text: text.trim(), sound: prepared, modalities: modalitiesOf(kind) };
      void outbox.send(conversationId, draft, beginning ?? plain);
    } catch (error) {
      putTextBack(text);
      setFile((next) => next ?? file);
      setProblem(sentenceOf(error));
    }
    setPreparing(false);
  };
  const attach = useCallback(
    (next: File) => {
      setProblem(null);
      checkSound(next, setting).then(
        () => setFile(next),
        (error: unknown) => setProblem(sentenceOf(error)),
      );
    },
    [setting],
  );
  const microphone = useMicrophone(longestRecordingSeconds(setting), (sound) => {
    // Another window may have begun a turn meanwhile: then it waits to be sent.
    if (busy) attach(new File([sound], "What you said", { type: sound.type }));
    else void send(sound);
  });
  const isOver = useSoundDrop(attach);
  const { state } = microphone;
  const told = problem ?? microphone.problem;

  return (
    <form
      className="composer"
      aria-label="Your message"
      {...focus}
      onSubmit={(event) => {
        event.preventDefault();
        void send(file);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        if (state.kind === "idle") onStop();
        else microphone.cancel();
      }}
    >
      {isOver && <div className="drop-here">Drop a sound file to send it</div>}
      {told !== null && <Notice>{told}</Notice>}
      {file !== null && <Attachment file={file} onRemove={() => setFile(null)} />}
      <div className="row">
        {state.kind === "recording" ? (
          <div className="under-way">
            <RecordingTime startedAt={state.startedAt} />
            <span>
              {microphone.isHeld ? "Recording. Let go to send." : "Recording. Press again to send."}
            </span>
            <button type="button" onClick={microphone.cancel}>
              Discard
            </button>
          </div>
        ) : (
          <>
            <AttachButton onChosen={attach} />
            <TextBox
              text={text}
              placeholder={placeholderFor({ file, running, preparing })}
              label={file === null ? "Message" : "Words that go with the sound"}
              onText={setText}
              onSend={() => void send(file)}
            />
          </>
        )}
        {running && state.kind === "idle" ? (
          <IconButton icon="stop" label="Stop the answer" className="round primary main" onClick={onStop} />
        ) : (
          <MicrophoneButton microphone={microphone} disabled={isLeaving} />
        )}
        {!running && state.kind === "idle" && (
          <IconButton
            icon="send"
            label="Send"
            type="submit"
            className="round primary"
            disabled={busy || (text.trim() === "" && file === null)}
          />
        )}
      </div>
      <ReplyChoice kind={kind} onKind={setKind} />
    </form>
  );
}

interface Waiting {
  file: File | null;
  running: boolean;
  preparing: boolean;
}

function placeholderFor({ file, running, preparing }: Waiting): string {
  if (preparing) return "Preparing the sound…";
  if (file !== null) return "What about this sound?";
  return running ? "Write what comes next" : "Write, or hold the mic";
}

function sentenceOf(error: unknown): string {
  return error instanceof UnusableSound ? error.message : "That sound can't be sent.";
}

/** From the microphone to the button that stops the answer, and back; from anything else to the words. */
function nextFocus(form: HTMLFormElement, lost: Element | null): HTMLElement | null {
  return form.querySelector(lost?.matches(".main") === true ? "button.main" : "textarea, button.main");
}
