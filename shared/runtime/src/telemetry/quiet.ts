import { pathOf } from "../http/paths.ts";

const QUIET = /\/hub\/((api\/)?(health|metrics)|static\/.*)$/;

/** Whether machines ask this address, or route, all day: a trace of each would only hide the others. */
export const isQuiet = (url: string): boolean => QUIET.test(pathOf(url));
