import { codeOf } from "@elara/contracts";

const AWAY = new Set(["BUS_AWAY", "BUS_NO_RESPONDERS", "BUS_TIMEOUT", "STORE_AWAY"]);

/** The bus, the store or a service behind them is away: the same call may succeed later. */
export const isAway = (error: unknown): boolean => AWAY.has(codeOf(error));
