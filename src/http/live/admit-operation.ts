import { GraphQLError, OperationTypeNode } from "graphql";
import type { Viewer } from "../../auth/viewer.js";
import { ParleyError } from "../../errors.js";
import type { CameFrom } from "../../services/rates/admission.js";
import { checkOperation } from "./check-operation.js";
import type { CheckedOperation, OperationRequest, Refusal } from "./check-operation.js";
import type { LiveConnections } from "./live-connections.js";
import type { LiveSettings } from "./settings.js";

export interface OperationSource extends Pick<LiveSettings, "schema" | "http" | "rates"> {
  connections: LiveConnections;
  from: CameFrom;
  viewer: Viewer;
}

/** To be released when the operation has ended. */
export type AdmittedOperation = CheckedOperation & { release: () => void };

/** Counts an operation that came over a socket, whatever it turns out to be, and then looks at it. */
export async function admitOperation(
  request: OperationRequest,
  { schema, http, rates, connections, from, viewer }: OperationSource,
): Promise<AdmittedOperation | Refusal> {
  try {
    await rates.admitOperation(from.address, viewer);
    const checked = checkOperation(request, { schema, introspection: http.introspection });
    if ("refused" in checked) return checked;
    const isSubscription = checked.operation.operation === OperationTypeNode.SUBSCRIPTION;
    const release = isSubscription ? connections.eventCosts.take(viewer, checked.cost) : () => undefined;
    return { ...checked, release };
  } catch (error) {
    if (!(error instanceof ParleyError)) throw error;
    return refusedFor(error);
  }
}

export function refusedFor(originalError: ParleyError): Refusal {
  return { refused: [new GraphQLError(originalError.message, { originalError })] };
}
