import { CloudEvent, cloudType, dataSchema, type EventContract } from "@elara/contracts";
import type { Static } from "typebox";
import { timestamp } from "../clock.ts";
import { newId } from "../id.ts";
import { currentTraceparent } from "../telemetry/tracer.ts";
import { checked, decode, encode } from "./checked.ts";

export interface EnvelopeFields {
  readonly source: string;
  readonly subject: string;
  readonly actor: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly partitionKey: string;
  readonly causationId?: string;
}

/** A CloudEvent of this contract with `seq` 0. Throws BUS_MESSAGE_INVALID when the data does not conform. */
export function envelope<E extends EventContract>(
  contract: E,
  data: Static<E["data"]>,
  fields: EnvelopeFields,
): CloudEvent {
  const traceparent = currentTraceparent();
  return checked(
    CloudEvent,
    {
      specversion: "1.0",
      id: newId(),
      source: fields.source,
      type: cloudType(contract),
      subject: fields.subject,
      time: timestamp(fields.at),
      datacontenttype: "application/json",
      dataschema: dataSchema(contract),
      seq: 0,
      partitionkey: fields.partitionKey,
      actor: fields.actor,
      ...(fields.causationId === undefined ? {} : { causationid: fields.causationId }),
      ...(traceparent === "" ? {} : { traceparent }),
      data: checked(contract.data, data, contract.type),
    },
    contract.type,
  );
}

/** An event as it travels. Throws BUS_MESSAGE_INVALID, BUS_MESSAGE_TOO_LARGE. */
export function encodeEvent(contract: EventContract, event: CloudEvent): Uint8Array {
  checked(CloudEvent, event, contract.type);
  checked(contract.data, event.data, contract.type);
  return encode(event, contract.type);
}

/** An event that came. Throws BUS_MESSAGE_INVALID. */
export function decodeEvent<E extends EventContract>(
  contract: E,
  bytes: Uint8Array,
): { event: CloudEvent; data: Static<E["data"]> } {
  const event = checked(CloudEvent, decode(bytes, contract.type), contract.type);
  return { event, data: checked<E["data"]>(contract.data, event.data, contract.type) };
}
