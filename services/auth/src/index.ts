export { default } from "./auth-service.ts";
