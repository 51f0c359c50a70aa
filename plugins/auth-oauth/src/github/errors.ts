import { type Faults, faultsOf, type SharedFault, sharedErrors } from "../fault-table.ts";

export const GITHUB_ID_NAMES = ["GITHUB_CLIENT_ID", "OAUTH_CLIENT_ID"];
export const GITHUB_SECRET_NAMES = ["GITHUB_CLIENT_SECRET", "OAUTH_CLIENT_SECRET"];

/** What can go wrong with GitHub. */
export const errors = {
  ...sharedErrors("GITHUB", {
    place: "GitHub",
    idNames: GITHUB_ID_NAMES.join(" or "),
    secretNames: GITHUB_SECRET_NAMES.join(" or "),
  }),
  GITHUB_RATE_LIMITED: {
    status: 503,
    user: "GitHub is asked too often at the moment. Try again in some minutes.",
    operator: "GitHub's rate limit is used up for this person's token; the detail has the address.",
    retryable: true,
  },
};

type GithubFaults = Faults<SharedFault | "RATE_LIMITED">;

export const faults: GithubFaults = faultsOf("GITHUB", errors);
