/** Which model answers, as far as rows remember it. */
export interface ModelTarget {
  endpoint: string;
  deployment: string;
  apiVersion: string;
}
