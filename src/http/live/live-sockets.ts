import type { IncomingMessage, Server } from "node:http";
import { handleProtocols } from "graphql-ws";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import type { CameFrom } from "../../services/rates/admission.js";
import { clientAddress } from "../limits/client-address.js";
import { originOf } from "../origin.js";
import type { LiveConnections } from "./live-connections.js";
import { LiveSocket } from "./live-socket.js";
import { leaveMs } from "./settings.js";
import type { LiveSettings } from "./settings.js";
import { acceptUpgrades } from "./upgrades.js";

/** Operations with their variables; sound comes in by HTTP. */
const maxMessageBytes = 1024 * 1024;
// Newer than the types of ws: how long a client may take to answer a close.
const untypedOptions = { closeTimeout: leaveMs };

/** Serves subscriptions, queries and mutations over WebSockets at the path, by the protocol graphql-transport-ws. */
export function serveSockets(
  server: Server,
  path: string,
  connections: LiveConnections,
  settings: LiveSettings,
): void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessageBytes,
    handleProtocols,
    ...untypedOptions,
  });
  acceptUpgrades(server, {
    path,
    http: settings.http,
    admit: (request) => settings.rates.admitSocket(clientAddress(request, settings.http.trustedProxies)),
    refusal: () => connections.refusal(),
    open: (request, duplex, head) =>
      sockets.handleUpgrade(request, duplex, head, (socket) => open(socket, request, connections, settings)),
  });
}

function open(
  socket: WebSocket,
  request: IncomingMessage,
  connections: LiveConnections,
  settings: LiveSettings,
): void {
  const { publicUrl, trustedProxies } = settings.http;
  const origin = originOf({ protocol: "http", headers: request.headers }, publicUrl);
  const { authorization } = request.headers;
  const address = clientAddress(request, trustedProxies);
  // Each operation is counted as a read before it is looked at.
  const from: CameFrom = { address, counted: ["reads"], countedForViewer: ["reads"] };
  connections.keep(new LiveSocket(socket, { ...settings, authorization, origin, from, connections }));
}
