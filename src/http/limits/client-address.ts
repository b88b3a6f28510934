import type { IncomingMessage } from "node:http";
import ipaddr from "ipaddr.js";

/**
 * The address that a request is counted for: the peer's, or with `proxies` trusted proxies in front the one that the
 * outermost of them has seen. An IPv6 network of 64 bits is one address, because each of its hosts has all of them.
 */
export function clientAddress(
  { headers, socket }: Pick<IncomingMessage, "headers"> & { socket: { remoteAddress?: string | undefined } },
  proxies: number,
): string {
  const peer = networkOf(socket.remoteAddress ?? "") ?? "unknown";
  const header = headers["x-forwarded-for"];
  if (proxies === 0 || header === undefined) return peer;
  const hops = [header].flat().join(",").split(",");
  // Each proxy adds whom it has seen at the end; what stands before that anybody may have written.
  const seen = hops.at(-Math.min(proxies, hops.length)) ?? "";
  return networkOf(withoutPort(seen.trim())) ?? peer;
}

/** Some proxies name the client's port, too. */
function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(text);
  return bracketed?.[1] ?? text.replace(/^([\d.]+):\d+$/, "$1");
}

/** What is one client: an address of IPv4, a network of IPv6. Null for what is no address. */
export function networkOf(text: string): string | null {
  if (!ipaddr.isValid(text)) return null;
  const address = ipaddr.process(text);
  if (!("parts" in address)) return address.toString();
  const network = address.parts.slice(0, 4).map((part) => part.toString(16));
  return `${network.join(":")}::/64`;
}
