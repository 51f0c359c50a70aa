import { Type } from "typebox";

/** Opaque id: lower-case letters and digits, never a name. Safe as a bus subject token. */
export const Id = Type.String({ pattern: "^[a-z0-9]{1,64}$" });
/** An id, or "" where there is none ("absent" is a value: the store has no null). */
export const IdOrNone = Type.String({ pattern: "^[a-z0-9]{0,64}$" });
/** UTC with milliseconds, fixed width: `2026-11-22T15:53:27.998Z`. */
export const Time = Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$" });
/** A time, or "" where there is none. */
export const TimeOrNone = Type.String({
  pattern: "^(\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z)?$",
});
/** SHA-256 in lower-case hex: how a credential stands in the store and on the bus. */
export const Digest = Type.String({ pattern: "^[0-9a-f]{64}$" });
/** Free-form JSON object. */
export const Json = Type.Record(Type.String(), Type.Unknown());
