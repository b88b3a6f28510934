import { writeFile } from "node:fs/promises";
import { format } from "prettier";
import { createSchema } from "../src/http/graphql.js";
import { referenceOf } from "./reference.js";

// Writes the API reference, docs/api.md, from the SDL that the server serves.
const path = new URL("../docs/api.md", import.meta.url);
await writeFile(path, await format(referenceOf(createSchema()), { parser: "markdown", printWidth: 110 }));
