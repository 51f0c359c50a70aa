export { type AuthenticatorCase, authenticatorConformance } from "./authenticator.ts";
