import { useSetting } from "../use-setting.js";

/** Says who answers: nobody should take the stand-in for a model, or a model for the stand-in. */
export function Provider() {
  const { provider } = useSetting();
  if (provider === null) return null;
  return (
    <footer className={`provider ${provider === "AZURE" ? "azure" : "stand-in"}`}>
      {provider === "AZURE"
        ? "Azure OpenAI answers."
        : "The stand-in answers: synthetic speech, no model. With AZURE_OPENAI_ENDPOINT set the server talks to one."}
    </footer>
  );
}
