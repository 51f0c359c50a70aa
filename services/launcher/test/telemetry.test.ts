import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { codeOf, HubError } from "@elara/contracts";
import { TelemetrySection } from "@elara/runtime/config/telemetry";
import { Value } from "typebox/value";
import { isOn, refuseOtherProtocols, sampleRatioOf, tracesUrl } from "../src/telemetry.ts";
import { environmentHeaders } from "../src/telemetry-check.ts";

const CONFIG_INVALID = (error: unknown) => codeOf(error) === "CONFIG_INVALID";
const nowhere = { endpoint: "" };

describe("what switches telemetry on", () => {
  test("an endpoint, of the configuration or of OpenTelemetry's names", () => {
    assert.equal(isOn(nowhere, {}), false);
    assert.equal(isOn(nowhere, { OTEL_EXPORTER_OTLP_ENDPOINT: " " }), false);
    assert.equal(isOn({ endpoint: "http://collector:4318" }, {}), true);
    assert.equal(isOn(nowhere, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" }), true);
    assert.equal(isOn(nowhere, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c:4318/v1/traces" }), true);
  });

  test("OTEL_SDK_DISABLED and OTEL_TRACES_EXPORTER=none switch it off all the same", () => {
    const config = { endpoint: "http://collector:4318" };
    assert.equal(isOn(config, { OTEL_SDK_DISABLED: "true" }), false);
    assert.equal(isOn(config, { OTEL_TRACES_EXPORTER: "none" }), false);
    assert.equal(isOn(config, { OTEL_SDK_DISABLED: "false", OTEL_TRACES_EXPORTER: "otlp" }), true);
  });
});

describe("where traces go", () => {
  test("to the configuration's address before the environment's; a whole address is left as it is", () => {
    const base = "http://collector:4318/";
    assert.equal(
      tracesUrl({ endpoint: base }, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://x" }),
      `${base}v1/traces`,
    );
    assert.equal(tracesUrl(nowhere, { OTEL_EXPORTER_OTLP_ENDPOINT: base }), `${base}v1/traces`);
    const whole = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c/otlp" };
    assert.equal(tracesUrl(nowhere, { ...whole, OTEL_EXPORTER_OTLP_ENDPOINT: base }), "http://c/otlp");
  });
});

describe("what is secret", () => {
  test("stands in headers: no name and password in the address, no value in a refusal", () => {
    const isTaken = (endpoint: string) => Value.Check(TelemetrySection.properties.endpoint, endpoint);
    assert.ok(isTaken("https://collector:4318/a@b"));
    assert.ok(!isTaken("https://name:password@collector:4318"));
    assert.ok(!isTaken("https://token@collector"));
    const OTEL_EXPORTER_OTLP_HEADERS = "x-a=one%20two, authorization=100%secret";
    assert.throws(
      () => environmentHeaders({ OTEL_EXPORTER_OTLP_HEADERS }),
      (error: unknown) => {
        assert.ok(error instanceof HubError && error.code === "CONFIG_INVALID");
        assert.match(error.operator, /^OTEL_EXPORTER_OTLP_HEADERS: the value of authorization /);
        return !error.operator.includes("secret");
      },
    );
    const encoded = { OTEL_EXPORTER_OTLP_HEADERS: "x-a=one%20two" };
    assert.deepEqual(environmentHeaders(encoded), { "x-a": "one two" });
  });
});

describe("what is kept", () => {
  test("as OTEL_TRACES_SAMPLER says", () => {
    assert.equal(sampleRatioOf({}), 1);
    assert.equal(sampleRatioOf({ OTEL_TRACES_SAMPLER: "parentbased_always_off" }), 0);
    const tenth = { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" };
    assert.equal(sampleRatioOf(tenth), 0.1);
  });

  test("what is not known is refused by name", () => {
    assert.throws(() => sampleRatioOf({ OTEL_TRACES_SAMPLER: "jaeger_remote" }), CONFIG_INVALID);
    const much = { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "10" };
    assert.throws(() => sampleRatioOf(much), CONFIG_INVALID);
  });

  test("over HTTP with protobuf; gRPC is refused rather than spoken to in vain", () => {
    refuseOtherProtocols({ OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" });
    assert.throws(() => refuseOtherProtocols({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }), CONFIG_INVALID);
    assert.throws(() => refuseOtherProtocols({ OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "grpc" }), CONFIG_INVALID);
  });
});
