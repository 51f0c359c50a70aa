import { type Static, type TObject, Type } from "typebox";
import { Time } from "../scalar.ts";

/**
 * What happened. A `fact` is written with the change it tells of and reaches the bus at least once;
 * a `notice` only hastens what others would find out anyway and may be lost.
 */
export interface EventContract<S extends TObject = TObject> {
  /** `entity.action`, e.g. `server.ready`. */
  readonly type: string;
  readonly kind: "fact" | "notice";
  readonly summary: string;
  readonly data: S;
}

/** Declares a fact. */
export const fact = <S extends TObject>(type: string, summary: string, data: S): EventContract<S> => ({
  type,
  kind: "fact",
  summary,
  data,
});
/** Declares a notice. */
export const notice = <S extends TObject>(type: string, summary: string, data: S): EventContract<S> => ({
  type,
  kind: "notice",
  summary,
  data,
});

/** CloudEvents 1.0, structured JSON. `seq` is the document's own event counter, gapless. */
export const CloudEvent = Type.Object({
  specversion: Type.Literal("1.0"),
  id: Type.String({ minLength: 1 }),
  source: Type.String(),
  type: Type.String(),
  /**
   * The document: `users/{userId}`, `users/{userId}/servers/{serverId}`, `users/{userId}/tokens/{publicId}`,
   * `users/{userId}/sessions/{id}`, `services/{name}/tokens/{publicId}`.
   */
  subject: Type.String(),
  time: Time,
  datacontenttype: Type.Literal("application/json"),
  /** Names the JSON Schema of `data`: `urn:elara:schema:server.ready.v1`, file `schemas/server.ready.v1.json`. */
  dataschema: Type.Optional(Type.String()),
  seq: Type.Integer({ minimum: 0 }),
  partitionkey: Type.String(),
  /** Who caused it: `user:{id}`, `service:{name}`, `system:culler`. */
  actor: Type.String(),
  causationid: Type.Optional(Type.String()),
  traceparent: Type.Optional(Type.String()),
  data: Type.Record(Type.String(), Type.Unknown()),
});
export type CloudEvent = Static<typeof CloudEvent>;
