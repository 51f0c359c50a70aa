import {
  authStates,
  identities,
  loginAttempts,
  oauthClients,
  oauthCodes,
  sessions,
  throttles,
  tokens,
  users,
} from "@elara/contracts";
import type { Documents, Store } from "@elara/runtime/store/store";

/** The collections auth writes; nobody else does. */
export interface Records {
  readonly users: Documents<typeof users>;
  readonly identities: Documents<typeof identities>;
  readonly tokens: Documents<typeof tokens>;
  readonly sessions: Documents<typeof sessions>;
  readonly clients: Documents<typeof oauthClients>;
  readonly codes: Documents<typeof oauthCodes>;
  readonly throttles: Documents<typeof throttles>;
  readonly authStates: Documents<typeof authStates>;
  readonly loginAttempts: Documents<typeof loginAttempts>;
}

/** Opens them. */
export const openRecords = (store: Store): Records => ({
  users: store.collection(users),
  identities: store.collection(identities),
  tokens: store.collection(tokens),
  sessions: store.collection(sessions),
  clients: store.collection(oauthClients),
  codes: store.collection(oauthCodes),
  throttles: store.collection(throttles),
  authStates: store.collection(authStates),
  loginAttempts: store.collection(loginAttempts),
});
