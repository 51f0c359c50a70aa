import { codeOf } from "@elara/contracts";

/** Codes of what is away and comes back. */
export const awayCodes = ["BUS_AWAY", "BUS_NO_RESPONDERS", "BUS_TIMEOUT", "STORE_AWAY"] as const;
export type AwayCode = (typeof awayCodes)[number];

const AWAY: ReadonlySet<string> = new Set(awayCodes);

/** The bus, the store or a service behind them is away: the same call may succeed later. */
export const isAway = (error: unknown): boolean => AWAY.has(codeOf(error));
