export { type Certificate, type CertificateFiles, readCertificate } from "./certificate.ts";
export { default } from "./proxy.ts";
export { isLoopback, refusePublicAddress } from "./public-address.ts";
