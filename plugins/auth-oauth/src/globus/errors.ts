import {
  type Faults,
  faultsOf,
  type JudgedFault,
  judgedErrors,
  type SharedFault,
  sharedErrors,
} from "../fault-table.ts";

export const GLOBUS_ID_NAMES = ["OAUTH_CLIENT_ID"];
export const GLOBUS_SECRET_NAMES = ["OAUTH_CLIENT_SECRET"];

const words = {
  place: "Globus",
  idNames: GLOBUS_ID_NAMES.join(" or "),
  secretNames: GLOBUS_SECRET_NAMES.join(" or "),
};

/** What can go wrong with Globus. */
export const errors = {
  ...sharedErrors("GLOBUS", words),
  ...judgedErrors("GLOBUS", words),
  GLOBUS_IDENTITY_PROVIDER: {
    status: 403,
    user: "This hub takes accounts of one institution only. Choose it at the log-in, or link your account there at https://app.globus.org/account and begin again.",
    operator:
      "The identity that logged in is of another provider than options `identityProvider` (IDENTITY_PROVIDER) and `identityProviderId` name. Allow rules do not lift this.",
  },
  GLOBUS_NAME_MISSING: {
    status: 403,
    user: "Globus does not tell the hub a name that it could use for you. Tell the administrators.",
    operator:
      "Neither id_token nor userinfo has the claim the name is made of: `preferred_username`, or with `usernameFromEmail` an `email` that is not unverified.",
  },
  GLOBUS_GROUPS_UNKNOWN: {
    status: 503,
    user: "Globus does not tell the hub your groups at the moment. Try again later.",
    operator:
      "`groupsUrl` refused the token, or none came for its resource server. Did the person, or the policy of the hub's registration, withhold the scope view_my_groups_and_memberships?",
    retryable: true,
  },
};

type GlobusFaults = Faults<
  SharedFault | JudgedFault | "IDENTITY_PROVIDER" | "NAME_MISSING" | "GROUPS_UNKNOWN"
>;

export const faults: GlobusFaults = faultsOf("GLOBUS", errors);
