import type { Page } from "../db/pagination.js";

/** The fields of a Relay connection over a page of rows; the same for every list. */
export const connection = {
  edges: <Row>({ rows, cursor }: Page<Row>) => rows.map((node) => ({ node, cursor: cursor(node) })),
  nodes: <Row>({ rows }: Page<Row>) => rows,
  pageInfo: <Row>({ rows, cursor, hasNextPage, hasPreviousPage }: Page<Row>) => {
    const [first, last] = [rows[0], rows.at(-1)];
    return {
      hasNextPage,
      hasPreviousPage,
      startCursor: first === undefined ? null : cursor(first),
      endCursor: last === undefined ? null : cursor(last),
    };
  },
  totalCount: <Row>({ totalCount }: Page<Row>) => totalCount(),
};
