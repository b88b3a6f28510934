import type { FastifyRequest } from "fastify";
import type { HttpConfig } from "../../config/config.js";
import type { CameFrom } from "../../services/rates/admission.js";
import type { RateLimits } from "../../services/rates/rate-limits.js";
import { isMultipart } from "../multipart.js";
import { clientAddress } from "./client-address.js";

/** Counts HTTP requests for the addresses that they come from. */
export interface AddressLimits {
  /**
   * Before anything of a request at /graphql is read: an upload for a multipart request, a read for any other.
   * @throws ParleyError RATE_LIMITED
   */
  countAddress: (request: FastifyRequest) => Promise<void>;
  /** What `countAddress` has counted is not counted again. */
  cameFrom: (request: FastifyRequest) => CameFrom;
  /**
   * For requests that are no operations: one read of the address, before it is looked at who asks.
   * @throws ParleyError RATE_LIMITED
   */
  admitAddressRead: (request: FastifyRequest) => Promise<void>;
  /**
   * The same read of the viewer, once that is known.
   * @throws ParleyError RATE_LIMITED
   */
  admitViewerRead: (viewerId: string) => Promise<void>;
  /**
   * For a file that is sent by its signed URL, which was counted for the viewer when the URL was made.
   * @throws ParleyError RATE_LIMITED
   */
  admitUpload: (request: FastifyRequest) => Promise<void>;
}

export function addressLimits(
  rates: RateLimits,
  { trustedProxies }: Pick<HttpConfig, "trustedProxies">,
): AddressLimits {
  const addressOf = (request: FastifyRequest) => clientAddress(request.raw, trustedProxies);
  return {
    countAddress: (request) => rates.takeForAddress(addressOf(request), kindOf(request)),
    cameFrom: (request) => httpRequestFrom(request, trustedProxies),
    admitAddressRead: (request) => rates.takeForAddress(addressOf(request), "reads"),
    admitViewerRead: (viewerId) => rates.takeForViewer(viewerId, "reads"),
    admitUpload: (request) => rates.takeForAddress(addressOf(request), "uploads"),
  };
}

export function httpRequestFrom(request: FastifyRequest, trustedProxies: number): CameFrom {
  return {
    address: clientAddress(request.raw, trustedProxies),
    counted: ["reads", kindOf(request)],
    countedForViewer: [],
  };
}

function kindOf(request: FastifyRequest): "uploads" | "reads" {
  return isMultipart(request) ? "uploads" : "reads";
}
