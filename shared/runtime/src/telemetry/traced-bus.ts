import type { OrderContract } from "@elara/contracts";
import type { Bus } from "../bus/bus.ts";
import { spanned } from "./spanned.ts";
import type { Tracer } from "./tracer.ts";

const about = (contract: OrderContract) => ({ "rpc.system.name": "elara", "rpc.method": contract.type });

/** The bus as one service sees it: each order is a span where it is given and another where it is taken. */
export function tracedBus(bus: Bus, tracer: Tracer): Bus {
  const request: Bus["request"] = (contract, content, options) =>
    spanned(tracer, contract.type, { kind: "client", attributes: about(contract) }, () =>
      bus.request(contract, content, options),
    );
  const reply: Bus["reply"] = (contract, handler) =>
    bus.reply(contract, (content, meta) =>
      spanned(
        tracer,
        contract.type,
        { kind: "server", attributes: about(contract), parent: meta.traceparent },
        () => handler(content, meta),
      ),
    );
  // Everything else is the bus's own, also what it learns later.
  const traced: Bus = Object.create(bus);
  return Object.assign(traced, { request, reply });
}
