/** Somebody with an account at the stand-in of GitHub; may be changed while it runs, as accounts are. */
export interface GithubPerson {
  /** Never given again, unlike `login`. */
  readonly id: number;
  login: string;
  name: string;
  emails: { email: string; primary: boolean; verified: boolean; visibility: "public" | "private" | null }[];
  /** Organisations with the teams of this person in them. */
  organizations: Record<string, { isPublic: boolean; teams: string[] }>;
}
export type GithubPeople = Record<"ada" | "bob" | "eve", GithubPerson>;

/** The organisation that is asked for, and a team in it. */
export const ORGANIZATION = "analytical-engines";
export const TEAM = "programmers";
/** An organisation ada is in that lets no OAuth application see who belongs to it. */
export const CLOSED_ORGANIZATION = "closed-lab";

/** ada: private member, in the team; bob: outside; eve: public member, in no team. */
export const githubPeople = (): GithubPeople => ({
  ada: {
    id: 1815,
    login: "ada",
    name: "Ada Lovelace",
    emails: [
      { email: "ada@users.example", primary: false, verified: true, visibility: null },
      { email: "ada@analytical.example", primary: true, verified: true, visibility: "private" },
    ],
    organizations: {
      [ORGANIZATION]: { isPublic: false, teams: ["difference", TEAM, "weavers"] },
      [CLOSED_ORGANIZATION]: { isPublic: false, teams: [] },
    },
  },
  bob: {
    id: 1906,
    login: "bob",
    name: "Bob Outside",
    emails: [{ email: "bob@outside.example", primary: true, verified: true, visibility: "public" }],
    organizations: {},
  },
  eve: {
    id: 2001,
    login: "eve",
    name: "Eve Elsewhere",
    emails: [{ email: "eve@elsewhere.example", primary: true, verified: false, visibility: null }],
    organizations: { [ORGANIZATION]: { isPublic: true, teams: [] } },
  },
});
