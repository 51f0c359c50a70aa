import type { CloudEvent, HubError } from "@elara/contracts";
import type { EventFormat } from "./event-stream.ts";

/** The event with its place in the log, CloudEvents' extension `sequence`. */
const placed = (event: CloudEvent, position: string): string =>
  JSON.stringify({ ...event, sequence: position });
const reason = (error: HubError): string => JSON.stringify({ code: error.code, message: error.message });

/** Server-sent events: `id` is the position, also on a heartbeat, so that who hears little still knows where it is. */
export const serverSent: EventFormat = {
  contentType: "text/event-stream",
  open: (position) => `retry: 2000\nid: ${position}\n\n`,
  event: (event, position) => `id: ${position}\ndata: ${placed(event, position)}\n\n`,
  heartbeat: (position) => `: heartbeat\nid: ${position}\n\n`,
  end: (error, position) =>
    `id: ${position}\n${error ? `event: end\ndata: ${reason(error)}` : "retry: 1000"}\n\n`,
};

/** A JSON document a line; an empty line is a heartbeat. The last line has the position, if need be nothing else. */
export const lines: EventFormat = {
  contentType: "application/x-ndjson",
  open: () => "",
  event: (event, position) => `${placed(event, position)}\n`,
  heartbeat: () => "\n",
  end: (_error, position, isTold) => (isTold ? "" : `${JSON.stringify({ sequence: position })}\n`),
};
