import { describe, expect, it } from "@jest/globals";
import { clientAddress } from "../../src/http/limits/client-address.js";

function seen(peer: string | undefined, forwardedFor: string | null, proxies: number): string {
  const headers = forwardedFor === null ? {} : { "x-forwarded-for": forwardedFor };
  return clientAddress({ headers, socket: { remoteAddress: peer } }, proxies);
}

describe("the address that a request is counted for", () => {
  it.each<[string, string | undefined, string | null, number, string]>([
    ["the peer's, without a proxy", "192.0.2.7", null, 0, "192.0.2.7"],
    [
      "the peer's, whatever it claims, where no proxy is trusted",
      "192.0.2.7",
      "198.51.100.1",
      0,
      "192.0.2.7",
    ],
    ["what one proxy has seen", "10.0.0.1", "198.51.100.1", 1, "198.51.100.1"],
    ["not what the client claims to a proxy", "10.0.0.1", "203.0.113.9, 198.51.100.1", 1, "198.51.100.1"],
    ["what the outer of two proxies has seen", "10.0.0.1", "x, 198.51.100.1, 10.0.0.2", 2, "198.51.100.1"],
    ["the outermost there is, where a proxy is missing", "10.0.0.1", "198.51.100.1", 2, "198.51.100.1"],
    ["the proxy's, where it names nobody", "10.0.0.1", null, 1, "10.0.0.1"],
    ["the proxy's, where it names no address", "10.0.0.1", "unknown", 1, "10.0.0.1"],
    ["without the port that some proxies add", "10.0.0.1", "198.51.100.1:50123", 1, "198.51.100.1"],
    ["without brackets and port of IPv6", "10.0.0.1", "[2001:db8::1]:443", 1, "2001:db8:0:0::/64"],
    ["a network of IPv6", "2001:db8:1:2:3:4:5:6", null, 0, "2001:db8:1:2::/64"],
    ["the same for its next host", "2001:db8:1:2:ffff::1", null, 0, "2001:db8:1:2::/64"],
    ["that of IPv4 where it comes as IPv6", "::ffff:192.0.2.7", null, 0, "192.0.2.7"],
    ["one for all that have none", undefined, null, 0, "unknown"],
  ])("is %s", (_rule, peer, forwardedFor, proxies, expected) => {
    expect(seen(peer, forwardedFor, proxies)).toBe(expected);
  });
});
