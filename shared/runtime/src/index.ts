export type { Bus, SubscribeOptions, Subscription } from "./bus/bus.ts";
export { type Clock, systemClock, timestamp } from "./clock.ts";
export type { HubConfig } from "./config/hub.ts";
export { prefersJson } from "./http/accepts.ts";
export type { Access, BodyKind } from "./http/access.ts";
export { type AppOptions, createApp, setDefaultAccess } from "./http/app.ts";
export { bodyOf, queryOf } from "./http/body.ts";
export {
  clearHubCookies,
  cookieValues,
  LOGIN_COOKIE,
  newLoginSecret,
  newSessionId,
  SESSION_ID_COOKIE,
  sessionIdOf,
  setLoginCookie,
  setSessionIdCookie,
  XSRF_COOKIE,
} from "./http/cookies.ts";
export { requireAnyOf, tokenOf } from "./http/guard.ts";
export { safeNext } from "./http/next-url.ts";
export { escapeName, hubPath, isApiPath, originOf, pathOf } from "./http/paths.ts";
export type { Upstreams } from "./http/upstreams.ts";
export type { Xsrf } from "./http/xsrf.ts";
export { digest, newId } from "./id.ts";
export type { InstanceRow } from "./instances.ts";
export type { Keys } from "./keys.ts";
export { type HeldLease, holdLease } from "./lease.ts";
export type { Liveness } from "./liveness.ts";
export { eventOf, insertWithEvents, withEvents } from "./outbox.ts";
export { PAGE_STATIC_DIR, type PageData, renderPage, renderPlainPage } from "./pages/render.ts";
export { type Relay, startRelay } from "./relay.ts";
export { expandScopes, type ScopeOwner, tokenScopes, unknownScopes } from "./scopes/expand.ts";
export { visibleFields } from "./scopes/fields.ts";
export type { Resource } from "./scopes/filter.ts";
export { HIERARCHY, isScope, type Scope } from "./scopes/hierarchy.ts";
export { roleScopes, rolesOf } from "./scopes/roles.ts";
export type { ScopeSet } from "./scopes/scope-set.ts";
export {
  type Configured,
  defineService,
  type InstanceId,
  type RunningService,
  type ServiceContext,
  type ServiceDefinition,
} from "./service.ts";
export { type Identity, type IdentityReader, identityReader } from "./store/read/identity.ts";
export type { Change, Documents, Filter, Page, PendingEvent, Query, Store } from "./store/store.ts";
