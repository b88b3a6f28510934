import { writeFile } from "node:fs/promises";
import { printSchema } from "graphql";
import { format } from "prettier";
import { createSchema } from "../src/http/graphql.js";

// Writes the SDL that the server serves to schema.graphql, for clients and for reviews of changes to the API.
const path = new URL("../schema.graphql", import.meta.url);
await writeFile(path, await format(printSchema(createSchema()), { parser: "graphql", printWidth: 110 }));
