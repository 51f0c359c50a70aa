/** Somebody with an identity at the stand-in of Globus. */
export interface GlobusPerson {
  /** UUID of the identity; never given again. */
  readonly sub: string;
  username: string;
  name: string;
  email: string;
  organization: string;
  identityProvider: string;
  identityProviderName: string;
  /** UUIDs of groups. */
  groups: string[];
}
export type GlobusPeople = Record<"ada" | "grace" | "bob" | "eve", GlobusPerson>;

/** The domain of ada's, grace's and bob's identities, and the UUID of their identity provider. */
export const DOMAIN = "uni.example";
export const IDENTITY_PROVIDER = "41143743-f3c8-4d60-bbdb-eeecaba85bd9";
/** The group that is asked for (ada, grace, eve), and that of administrators (grace). */
export const GROUP = "6b2b4d0c-3f35-4a2c-9d1a-2a4a3b7f1d10";
export const ADMIN_GROUP = "a1f5e0b2-77c3-4c8e-9b55-0f6f9a1f2e21";
/** The collection whose files the transfer API serves. */
export const COLLECTION = "ddb59aef-6d04-11e5-ba46-22000b92c6ec";

const university = {
  organization: "Example University",
  identityProvider: IDENTITY_PROVIDER,
  identityProviderName: "Example University",
};

/**
 * ada: in the group; grace: in the group of administrators too; bob: in no group; eve: in the group, by an identity of
 * another provider whose name begins like ada's.
 */
export const globusPeople = (): GlobusPeople => ({
  ada: {
    sub: "ae341a98-d274-11e5-b888-dbae3a8ba545",
    username: `ada@${DOMAIN}`,
    name: "Ada Lovelace",
    email: `ada@${DOMAIN}`,
    groups: [GROUP],
    ...university,
  },
  grace: {
    sub: "b1b32c1e-5a7f-4c38-8c44-6c2f1a0d9e11",
    username: `grace@${DOMAIN}`,
    name: "Grace Hopper",
    email: `grace@${DOMAIN}`,
    groups: [GROUP, ADMIN_GROUP],
    ...university,
  },
  bob: {
    sub: "c8e0d5b4-0c1d-4f0e-9a07-5d0d8b6e2f22",
    username: `bob@${DOMAIN}`,
    name: "Bob Outside",
    email: `bob@${DOMAIN}`,
    groups: [],
    ...university,
  },
  eve: {
    sub: "d4f7a3c6-9e21-4b62-8d3b-7a1f0c5b3e33",
    username: "ada@elsewhere.example",
    name: "Eve Elsewhere",
    email: "ada@elsewhere.example",
    organization: "Elsewhere",
    identityProvider: "92ee7d4f-1e0b-4f3a-a3c1-5b6a8c9d7e44",
    identityProviderName: "Elsewhere ID",
    groups: [GROUP],
  },
});
