import { ParleyError } from "../errors.js";

/** For a row that another row refers to: it can only be missing where both were deleted while they were read. */
export function present<Row>(row: Row | null): Row {
  if (row === null) throw new ParleyError("NOT_FOUND", "It was deleted while it was read.");
  return row;
}
