import type { FastifyRequest } from "fastify";
import type { Viewer } from "../../auth/viewer.js";
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
   * For requests that are no operations: one read, of the address and of the viewer.
   * @throws ParleyError RATE_LIMITED
   */
  admitRead: (request: FastifyRequest, viewer: Viewer) => Promise<void>;
}

export function addressLimits(
  rates: RateLimits,
  { trustedProxies }: Pick<HttpConfig, "trustedProxies">,
): AddressLimits {
  const addressOf = (request: FastifyRequest) => clientAddress(request.raw, trustedProxies);
  return {
    countAddress: (request) => rates.takeForAddress(addressOf(request), kindOf(request)),
    cameFrom: (request) => httpRequestFrom(request, trustedProxies),
    admitRead: async (request, viewer) => {
      await rates.takeForAddress(addressOf(request), "reads");
      await rates.takeForViewer(viewer.id, "reads");
    },
  };
}

export function httpRequestFrom(request: FastifyRequest, trustedProxies: number): CameFrom {
  return { address: clientAddress(request.raw, trustedProxies), counted: ["reads", kindOf(request)] };
}

function kindOf(request: FastifyRequest): "uploads" | "reads" {
  return isMultipart(request) ? "uploads" : "reads";
}
