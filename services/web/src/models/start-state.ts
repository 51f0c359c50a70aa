import { ERRORS, type Server } from "@elara/contracts";
import { startsAgain } from "./server-state.ts";

/** How a start stands, in words for its owner; pages and the event stream say the same. */
export interface StartState {
  readonly kind: "starting" | "queued" | "unknown";
  /** In the pill. */
  readonly word: string;
  readonly heading: string;
  /** What it means for the owner; "" where the steps say all. */
  readonly words: string;
  /** What queue or backend gave as its reason, "" when it gave none. */
  readonly reason: string;
  readonly since: string;
}

const WORDS = {
  starting: { word: "Starting", heading: "Your server is starting", words: "" },
  queued: {
    word: "Queued",
    heading: "Your server waits in the queue",
    words: "It waits for its turn.",
  },
  unknown: {
    word: "Not answering",
    heading: "Your server is starting",
    words:
      "The place where your server starts does not answer at the moment. Nothing is lost: the hub keeps asking, and no time runs out meanwhile.",
  },
} as const;

/** The start before may have left something where nobody answers: this one waits for it. */
const WAITS_FOR_LAST = {
  word: "Not answering",
  heading: "Your server waits for its last start",
  words:
    "What your last start may have left cannot be looked for at the moment. The hub keeps asking, and starts your server then.",
};

/** The state of a server that is on its way to ready. */
export function startState(server: Pick<Server, "phase" | "phaseAt" | "reason" | "desired">): StartState {
  const { phase, phaseAt, reason: said } = server;
  if (startsAgain(server) && said)
    return { kind: "unknown", ...WAITS_FOR_LAST, reason: ownReason(said), since: phaseAt };
  const kind = phase === "queued" || phase === "unknown" ? phase : "starting";
  const reason = kind === "starting" ? "" : ownReason(said);
  // A queue's reason may be that its turn never comes: nothing else is said beside it.
  const words = kind === "queued" && reason !== "" ? "Why it waits:" : WORDS[kind].words;
  return { kind, ...WORDS[kind], words, reason, since: phaseAt };
}

/** What was said of itself; what the hub says where a backend gave no reason stands in the words already. */
export const ownReason = (reason = ""): string => (reason === ERRORS.SPAWN_BACKEND_AWAY.user ? "" : reason);

/** One sentence for clients that show text only. */
export function startSentence({ kind, heading, words, reason }: StartState): string {
  if (kind === "starting") return heading;
  if (reason === "") return words;
  return kind === "queued" ? `${words} ${reason}` : `${words} (${reason})`;
}

/** A moment as backends write it, `2026-11-23T07:40:00Z` or `2026-11-23 07:40 UTC`. */
const UTC = /(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z| UTC))/;

/** A part of a sentence; `at` is the moment it names, "" for mere words. */
export interface SentencePart {
  readonly text: string;
  readonly at: string;
}

/** A sentence of a backend, cut where it names a moment, so that pages show that in the reader's time. */
export const withTimes = (sentence: string): readonly SentencePart[] =>
  sentence
    .split(UTC)
    .map((text, index) => ({
      text,
      at: index % 2 === 1 ? text.replace(" ", "T").replace(" UTC", "Z") : "",
    }))
    .filter(({ text }) => text !== "");
